-- The directory breaks ties by id in the direction of the sort, so both columns of its indexes must point the same way: then one index,
-- read forwards or backwards, gives every order without sorting – also among the accounts that never signed in, which tie.
DROP INDEX {{schema}}.users_live_created_idx;
DROP INDEX {{schema}}.users_live_last_login_idx;
CREATE INDEX users_live_created_idx ON {{schema}}.users (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX users_live_last_login_idx ON {{schema}}.users (last_login, id) WHERE deleted_at IS NULL;
