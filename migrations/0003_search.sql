-- The directory's search by part of a name. Trigrams make it an index scan; where the extension cannot be had, the
-- search still works and reads the table.
DO $block$
DECLARE
  home text;
BEGIN
  BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
  EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE NOTICE 'pg_trgm is not available here';
  END;
  SELECT quote_ident(n.nspname) INTO home
    FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
  IF home IS NOT NULL THEN
    -- A small pending list keeps the rare flush, which some login has to do, short.
    EXECUTE format(
      'CREATE INDEX users_search_idx ON {{schema}}.users USING gin ((username::text) %1$s.gin_trgm_ops, '
      '(email::text) %1$s.gin_trgm_ops, phone_number %1$s.gin_trgm_ops) WITH (gin_pending_list_limit = 256)', home);
  END IF;
END
$block$;
