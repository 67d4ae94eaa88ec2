-- Reports that a moderator has upheld and that their user's server has signed the proof of count
-- against that server: `against` names it for as long as they do. `last_upheld` is the time of the
-- last one.
ALTER TABLE standing ADD COLUMN last_upheld INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN against TEXT NOT NULL DEFAULT '';
CREATE INDEX report_against ON report (against, closed_at) WHERE against <> '';
