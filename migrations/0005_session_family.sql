-- Not partial: until a new deployment's tables are first analysed, PostgreSQL takes every partial index for empty and would rather read
-- all of this one than look a session up by its own key.
DROP INDEX {{schema}}.refresh_sessions_family_idx;
CREATE INDEX refresh_sessions_family_idx ON {{schema}}.refresh_sessions (family_id);
