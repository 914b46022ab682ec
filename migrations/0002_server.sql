-- What this server keeps beyond the contract.

-- Whether the address was proven by its owner, as opposed to being marked as verified without proof.
ALTER TABLE {{schema}}.users ADD COLUMN email_proven boolean NOT NULL DEFAULT false;

CREATE TABLE {{schema}}.audit_log (
  id uuid PRIMARY KEY,
  occurred_at timestamptz NOT NULL,
  action text NOT NULL,
  actor text,
  target text,
  outcome text NOT NULL,
  request_id text,
  ip inet,
  user_agent text,
  details jsonb
);
CREATE INDEX audit_log_target_idx ON {{schema}}.audit_log (target, occurred_at DESC) WHERE target IS NOT NULL;
CREATE INDEX audit_log_actor_idx ON {{schema}}.audit_log (actor, occurred_at DESC) WHERE actor IS NOT NULL;
CREATE INDEX audit_log_occurred_idx ON {{schema}}.audit_log (occurred_at);

-- The managed keyring; private keys are sealed under a secret that is not in the database.
CREATE TABLE {{schema}}.signing_keys (
  kid text PRIMARY KEY,
  algorithm text NOT NULL,
  public_pem text NOT NULL,
  private_sealed bytea NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  activated_at timestamptz,
  retire_at timestamptz,
  expires_at timestamptz,
  CONSTRAINT signing_keys_algorithm_check CHECK (algorithm IN ('RS256', 'ES256', 'ES384', 'ES512', 'EdDSA')),
  CONSTRAINT signing_keys_state_check CHECK (state IN ('next', 'active', 'retired'))
);

-- Ephemeral state of deployments without Redis. Lost in a crash of the database, as it would be with Redis.
CREATE UNLOGGED TABLE {{schema}}.ephemeral (
  key text PRIMARY KEY,
  value text NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ephemeral_expires_idx ON {{schema}}.ephemeral (expires_at);

CREATE UNLOGGED TABLE {{schema}}.rate_limits (
  key text PRIMARY KEY,
  hits timestamptz[] NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX rate_limits_expires_idx ON {{schema}}.rate_limits (expires_at);

-- Each refresh leaves a dead row version behind.
ALTER TABLE {{schema}}.refresh_sessions SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE {{schema}}.users SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
