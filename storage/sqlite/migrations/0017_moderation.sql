-- Suspension and ban are apart: the end of the one doesn't lift the other. Who is deleted keeps
-- his row, so that his name is never another's. `one_time_until`: the password is for one login,
-- until then, and has to be replaced by it; NULL: it is the user's own.
ALTER TABLE account_user ADD COLUMN banned_at INTEGER;
ALTER TABLE account_user ADD COLUMN deleted_at INTEGER;
ALTER TABLE account_user ADD COLUMN one_time_until INTEGER;

ALTER TABLE account_invite_code ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account_invite_code ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account_invite_code ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
