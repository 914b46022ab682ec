-- The tables of the contract, both generations merged: what either knows has its column, rules are the wider ones.

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;

-- Accounts ------------------------------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.users (
  id uuid PRIMARY KEY,
  email public.citext,
  username public.citext UNIQUE,
  email_verified boolean NOT NULL DEFAULT false,
  phone_number text UNIQUE,
  phone_verified boolean NOT NULL DEFAULT false,
  banned_at timestamptz,
  banned_until timestamptz,
  ban_reason text,
  banned_by uuid REFERENCES {{schema}}.users (id) ON DELETE SET NULL,
  deleted_at timestamptz,
  biography text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_login timestamptz,
  preferred_language text,
  avatar_url text
);
CREATE UNIQUE INDEX users_email_uidx ON {{schema}}.users (email) WHERE email IS NOT NULL;
CREATE INDEX users_live_created_idx ON {{schema}}.users (created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX users_live_last_login_idx ON {{schema}}.users (last_login DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX users_live_username_idx ON {{schema}}.users (username, id) WHERE deleted_at IS NULL;
CREATE INDEX users_live_email_idx ON {{schema}}.users (email, id) WHERE deleted_at IS NULL;
CREATE INDEX users_live_banned_idx ON {{schema}}.users (banned_at, id) WHERE deleted_at IS NULL AND banned_at IS NOT NULL;
CREATE INDEX users_deleted_idx ON {{schema}}.users (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_banned_by_idx ON {{schema}}.users (banned_by) WHERE banned_by IS NOT NULL;

CREATE TABLE {{schema}}.user_passwords (
  user_id uuid PRIMARY KEY REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  password_hash text NOT NULL,
  hash_algo text NOT NULL DEFAULT 'argon2id',
  hash_params jsonb,
  password_updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {{schema}}.user_providers (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  issuer text NOT NULL,
  provider_slug text,
  subject text NOT NULL,
  email_at_provider text,
  profile jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (issuer, subject),
  UNIQUE (user_id, issuer)
);
CREATE INDEX user_providers_user_slug_idx ON {{schema}}.user_providers (user_id, provider_slug);
CREATE INDEX user_providers_slug_subject_idx ON {{schema}}.user_providers (provider_slug, subject);

CREATE TABLE {{schema}}.user_renames (
  id bigserial PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  from_slug text NOT NULL,
  renamed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT user_renames_from_slug_check CHECK (from_slug ~ '^[a-z0-9][a-z0-9_-]{0,63}$')
);
CREATE INDEX user_renames_user_idx ON {{schema}}.user_renames (user_id, renamed_at DESC);

-- Sessions and second factors -----------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.refresh_sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  issuer text NOT NULL,
  family_id uuid NOT NULL,
  current_token_hash bytea NOT NULL,
  previous_token_hash bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now(),
  last_authenticated_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  user_agent text,
  ip_addr inet,
  auth_methods text[] NOT NULL DEFAULT '{pwd}',
  previous_successor_sealed bytea,
  previous_rotated_at timestamptz
);
CREATE UNIQUE INDEX refresh_sessions_current_uidx ON {{schema}}.refresh_sessions (current_token_hash) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX refresh_sessions_previous_uidx ON {{schema}}.refresh_sessions (previous_token_hash)
  WHERE revoked_at IS NULL AND previous_token_hash IS NOT NULL;
-- Not partial: deleting a user must find the revoked ones too.
CREATE INDEX refresh_sessions_user_idx ON {{schema}}.refresh_sessions (user_id, issuer, last_used_at);
CREATE INDEX refresh_sessions_family_idx ON {{schema}}.refresh_sessions (family_id) WHERE revoked_at IS NULL;
CREATE INDEX refresh_sessions_revoked_idx ON {{schema}}.refresh_sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX refresh_sessions_expires_idx ON {{schema}}.refresh_sessions (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {{schema}}.mfa_settings (
  user_id uuid PRIMARY KEY REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  enabled boolean NOT NULL DEFAULT false,
  backup_codes text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {{schema}}.mfa_factors (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  method varchar(10) NOT NULL,
  phone_number varchar(20),
  totp_secret bytea,
  last_totp_step bigint,
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, method),
  CONSTRAINT mfa_factors_method_check CHECK (method IN ('email', 'sms', 'totp')),
  CONSTRAINT mfa_factors_phone_check CHECK (method <> 'sms' OR phone_number IS NOT NULL),
  CONSTRAINT mfa_factors_totp_check CHECK (method <> 'totp' OR totp_secret IS NOT NULL)
);
CREATE UNIQUE INDEX mfa_factors_default_uidx ON {{schema}}.mfa_factors (user_id) WHERE is_default;

CREATE TABLE {{schema}}.user_passkey_handles (
  user_id uuid PRIMARY KEY REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  rpid varchar(512) NOT NULL DEFAULT '',
  user_handle bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {{schema}}.user_passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  rpid varchar(512) NOT NULL,
  credential_id bytea NOT NULL,
  public_key bytea NOT NULL,
  sign_count bigint NOT NULL DEFAULT 0,
  clone_warning boolean NOT NULL DEFAULT false,
  aaguid bytea,
  transports text[] NOT NULL DEFAULT '{}',
  authenticator_attachment text NOT NULL DEFAULT '',
  backup_eligible boolean NOT NULL DEFAULT false,
  backup_state boolean NOT NULL DEFAULT false,
  user_present boolean NOT NULL DEFAULT false,
  user_verified boolean NOT NULL DEFAULT false,
  flags bytea NOT NULL DEFAULT '\x00',
  attestation_type text NOT NULL DEFAULT '',
  attestation_fmt text NOT NULL DEFAULT '',
  label text,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  deleted_at timestamptz
);
CREATE UNIQUE INDEX user_passkeys_credential_uidx ON {{schema}}.user_passkeys (rpid, credential_id) WHERE deleted_at IS NULL;
CREATE INDEX user_passkeys_user_idx ON {{schema}}.user_passkeys (user_id);

-- Permission groups ---------------------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.group_persona_parents (
  persona text PRIMARY KEY,
  parent_persona text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_persona_parents_persona_check CHECK (persona ~ '^[a-z][a-z0-9-]*$' AND persona <> 'root'),
  CONSTRAINT group_persona_parents_parent_check CHECK (parent_persona ~ '^[a-z][a-z0-9-]*$' AND parent_persona <> persona)
);

CREATE TABLE {{schema}}.permission_groups (
  id uuid PRIMARY KEY,
  persona text NOT NULL,
  parent_id uuid REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  -- Filled by the trigger when not stated.
  parent_persona text,
  instance_slug text,
  display_name text NOT NULL DEFAULT '',
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT permission_groups_persona_check CHECK (persona ~ '^[a-z][a-z0-9-]*$'),
  CONSTRAINT permission_groups_slug_check CHECK (
    instance_slug IS NULL
    OR (length(instance_slug) <= 253 AND instance_slug ~ '^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$' AND instance_slug !~ '[.][.]')
  ),
  CONSTRAINT permission_groups_root_check CHECK (
    CASE WHEN persona = 'root' THEN parent_id IS NULL AND parent_persona IS NULL AND instance_slug IS NULL
    ELSE parent_id IS NOT NULL AND parent_persona IS NOT NULL AND instance_slug IS NOT NULL END
  )
);
CREATE UNIQUE INDEX permission_groups_slug_uidx ON {{schema}}.permission_groups (persona, instance_slug)
  WHERE instance_slug IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX permission_groups_root_uidx ON {{schema}}.permission_groups (persona)
  WHERE persona = 'root' AND deleted_at IS NULL;
CREATE INDEX permission_groups_parent_idx ON {{schema}}.permission_groups (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX permission_groups_persona_idx ON {{schema}}.permission_groups (persona) WHERE deleted_at IS NULL;

CREATE FUNCTION {{schema}}.trg_permission_group_containment() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
  actual text;
BEGIN
  IF NEW.persona = 'root' THEN
    RETURN NEW;
  END IF;
  SELECT persona INTO actual FROM {{schema}}.permission_groups WHERE id = NEW.parent_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the parent group does not exist'
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'permission_group_containment', TABLE = TG_TABLE_NAME;
  END IF;
  NEW.parent_persona := coalesce(NEW.parent_persona, actual);
  IF NEW.parent_persona <> actual THEN
    RAISE EXCEPTION 'the parent group is of persona %, not %', actual, NEW.parent_persona
      USING ERRCODE = 'check_violation', CONSTRAINT = 'permission_group_containment', TABLE = TG_TABLE_NAME;
  END IF;
  PERFORM FROM {{schema}}.group_persona_parents WHERE persona = NEW.persona AND parent_persona = actual;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'groups of persona % do not belong under %', NEW.persona, actual
      USING ERRCODE = 'check_violation', CONSTRAINT = 'permission_group_containment', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END
$function$;
CREATE TRIGGER permission_group_containment
  BEFORE INSERT OR UPDATE OF persona, parent_id, parent_persona ON {{schema}}.permission_groups
  FOR EACH ROW EXECUTE FUNCTION {{schema}}.trg_permission_group_containment();

CREATE TABLE {{schema}}.permission_group_slug_tombstones (
  persona text NOT NULL,
  slug text NOT NULL,
  -- No foreign key: the name stays taken when the group is gone.
  permission_group_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (persona, slug),
  CONSTRAINT permission_group_slug_tombstones_slug_check CHECK (
    length(slug) <= 253 AND slug ~ '^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$' AND slug !~ '[.][.]'
  )
);
CREATE INDEX permission_group_slug_tombstones_group_idx ON {{schema}}.permission_group_slug_tombstones (permission_group_id);

CREATE TABLE {{schema}}.group_user_roles (
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  role text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT group_user_roles_role_check CHECK (role ~ '^[a-z][a-z0-9-]*$')
);
-- One live role for each subject and group.
CREATE UNIQUE INDEX group_user_roles_live_uidx ON {{schema}}.group_user_roles (permission_group_id, user_id) WHERE deleted_at IS NULL;
CREATE INDEX group_user_roles_group_idx ON {{schema}}.group_user_roles (permission_group_id);
CREATE INDEX group_user_roles_user_idx ON {{schema}}.group_user_roles (user_id);

CREATE TABLE {{schema}}.group_custom_roles (
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  role text NOT NULL,
  permissions text[] NOT NULL DEFAULT '{}',
  requires_mfa boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (permission_group_id, role),
  CONSTRAINT group_custom_roles_role_check CHECK (role ~ '^[a-z][a-z0-9-]*$')
);

-- Invitations ---------------------------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.group_invite_links (
  id uuid PRIMARY KEY,
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  role text NOT NULL,
  invited_by uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  code_hash text NOT NULL UNIQUE,
  redeemed_at timestamptz,
  -- How the earlier generation says it.
  uses integer NOT NULL GENERATED ALWAYS AS (CASE WHEN redeemed_at IS NULL THEN 0 ELSE 1 END) STORED,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_invite_links_role_check CHECK (role ~ '^[a-z][a-z0-9-]*$')
);
CREATE INDEX group_invite_links_group_idx ON {{schema}}.group_invite_links (permission_group_id);
CREATE INDEX group_invite_links_invited_by_idx ON {{schema}}.group_invite_links (invited_by);

CREATE TABLE {{schema}}.account_registration_invites (
  id uuid PRIMARY KEY,
  email public.citext NOT NULL,
  invited_by uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  code_hash text NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  consumed_at timestamptz,
  consumed_by uuid REFERENCES {{schema}}.users (id) ON DELETE SET NULL,
  permission_group_id uuid REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  role text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT account_registration_invites_role_check CHECK (
    (permission_group_id IS NULL) = (role IS NULL) AND (role IS NULL OR role ~ '^[a-z][a-z0-9-]*$')
  )
);
CREATE INDEX account_registration_invites_open_idx ON {{schema}}.account_registration_invites (email, expires_at)
  WHERE revoked_at IS NULL AND consumed_at IS NULL;
CREATE INDEX account_registration_invites_invited_by_idx ON {{schema}}.account_registration_invites (invited_by);
CREATE INDEX account_registration_invites_consumed_by_idx ON {{schema}}.account_registration_invites (consumed_by)
  WHERE consumed_by IS NOT NULL;
CREATE INDEX account_registration_invites_group_idx ON {{schema}}.account_registration_invites (permission_group_id)
  WHERE permission_group_id IS NOT NULL;

CREATE TABLE {{schema}}.group_membership_invites (
  id uuid PRIMARY KEY,
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  role text NOT NULL,
  invited_by uuid NOT NULL REFERENCES {{schema}}.users (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  declined_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_membership_invites_role_check CHECK (role ~ '^[a-z][a-z0-9-]*$')
);
CREATE UNIQUE INDEX group_membership_invites_pending_uidx ON {{schema}}.group_membership_invites (permission_group_id, user_id, role)
  WHERE accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL;
CREATE INDEX group_membership_invites_group_idx ON {{schema}}.group_membership_invites (permission_group_id);
CREATE INDEX group_membership_invites_user_idx ON {{schema}}.group_membership_invites (user_id);
CREATE INDEX group_membership_invites_invited_by_idx ON {{schema}}.group_membership_invites (invited_by);

-- Machine principals --------------------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.api_keys (
  id uuid PRIMARY KEY,
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  key_id text NOT NULL UNIQUE,
  secret_hash bytea NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  created_by uuid REFERENCES {{schema}}.users (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_keys_name_check CHECK (length(name) BETWEEN 1 AND 128),
  CONSTRAINT api_keys_role_check CHECK (role ~ '^[a-zA-Z0-9:_-]{1,64}$')
);
CREATE INDEX api_keys_group_idx ON {{schema}}.api_keys (permission_group_id);
CREATE INDEX api_keys_created_by_idx ON {{schema}}.api_keys (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE {{schema}}.remote_applications (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  issuer text NOT NULL UNIQUE,
  jwks_uri text NOT NULL DEFAULT '',
  mode text NOT NULL DEFAULT 'jwks',
  public_keys jsonb,
  enabled boolean NOT NULL DEFAULT true,
  metadata jsonb NOT NULL DEFAULT '{}',
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  display_name text NOT NULL DEFAULT '',
  tier text NOT NULL DEFAULT 'approved',
  trust_root text NOT NULL DEFAULT 'manual',
  domain text NOT NULL DEFAULT '',
  document_endpoint text NOT NULL DEFAULT '',
  root_verified_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT remote_applications_slug_check CHECK (
    length(slug) <= 253 AND slug ~ '^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$' AND slug !~ '[.][.]'
  ),
  CONSTRAINT remote_applications_mode_check CHECK (mode IN ('jwks', 'static')),
  CONSTRAINT remote_applications_tier_check CHECK (tier IN ('registered', 'approved')),
  CONSTRAINT remote_applications_trust_root_check CHECK (trust_root IN ('manual', 'domain', 'user')),
  CONSTRAINT remote_applications_keys_check CHECK (
    CASE WHEN mode = 'jwks' THEN jwks_uri <> '' AND public_keys IS NULL
    ELSE jwks_uri = '' AND CASE WHEN jsonb_typeof(public_keys) = 'array' THEN jsonb_array_length(public_keys) > 0 ELSE false END END
  )
);
CREATE UNIQUE INDEX remote_applications_domain_uidx ON {{schema}}.remote_applications (domain) WHERE domain <> '';
CREATE INDEX remote_applications_group_idx ON {{schema}}.remote_applications (permission_group_id);

CREATE TABLE {{schema}}.remote_application_attribute_defs (
  remote_application_id uuid NOT NULL REFERENCES {{schema}}.remote_applications (id) ON DELETE CASCADE,
  key text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (remote_application_id, key, version),
  CONSTRAINT remote_application_attribute_defs_key_check CHECK (key ~ '^[a-zA-Z0-9:._-]{1,128}$'),
  CONSTRAINT remote_application_attribute_defs_version_check CHECK (version >= 1)
);

CREATE TABLE {{schema}}.group_remote_application_roles (
  permission_group_id uuid NOT NULL REFERENCES {{schema}}.permission_groups (id) ON DELETE CASCADE,
  remote_application_id uuid NOT NULL REFERENCES {{schema}}.remote_applications (id) ON DELETE CASCADE,
  role text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT group_remote_application_roles_role_check CHECK (role ~ '^[a-z][a-z0-9-]*$')
);
CREATE UNIQUE INDEX group_remote_application_roles_live_uidx
  ON {{schema}}.group_remote_application_roles (permission_group_id, remote_application_id) WHERE deleted_at IS NULL;
CREATE INDEX group_remote_application_roles_group_idx ON {{schema}}.group_remote_application_roles (permission_group_id);
CREATE INDEX group_remote_application_roles_app_idx ON {{schema}}.group_remote_application_roles (remote_application_id);

-- The rest ------------------------------------------------------------------------------------------------------------------

CREATE TABLE {{schema}}.bootstrap_applies (
  name text PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- No foreign keys: the history outlives the account.
CREATE TABLE {{schema}}.session_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  occurred_at timestamptz NOT NULL,
  issuer text NOT NULL,
  user_id text NOT NULL,
  session_id text NOT NULL,
  event text NOT NULL,
  method text,
  reason text,
  ip_addr text,
  user_agent text
);
CREATE INDEX session_events_user_idx ON {{schema}}.session_events (user_id, occurred_at DESC);
CREATE INDEX session_events_occurred_idx ON {{schema}}.session_events (occurred_at);

CREATE TABLE {{schema}}.signed_documents (
  digest text PRIMARY KEY,
  document_type text NOT NULL,
  compact_jws text NOT NULL,
  signed_payload bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Ids are made by the server. The defaults are for rows written by hand and by servers of the contract.
DO $block$
DECLARE
  maker text := CASE WHEN to_regprocedure('pg_catalog.uuidv7()') IS NULL THEN 'gen_random_uuid()' ELSE 'uuidv7()' END;
  owner text;
BEGIN
  FOREACH owner IN ARRAY ARRAY['users', 'user_providers', 'refresh_sessions', 'mfa_factors', 'user_passkeys', 'permission_groups',
    'group_invite_links', 'account_registration_invites', 'group_membership_invites', 'api_keys', 'remote_applications']
  LOOP
    EXECUTE format('ALTER TABLE {{schema}}.%I ALTER COLUMN id SET DEFAULT pg_catalog.%s', owner, maker);
  END LOOP;
  EXECUTE format('ALTER TABLE {{schema}}.refresh_sessions ALTER COLUMN family_id SET DEFAULT pg_catalog.%s', maker);
END
$block$;
