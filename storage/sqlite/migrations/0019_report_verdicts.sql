-- A report that is closed stays for a year, with its verdict ('upheld', 'dismissed'; '': open) and
-- who gave it. `proof`: what another server has sent with it, judged when it came. `sent_at`: when
-- it was passed on, with a proof, to the reported user's server.
ALTER TABLE report ADD COLUMN verdict TEXT NOT NULL DEFAULT '';
ALTER TABLE report ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE report ADD COLUMN closed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN proof TEXT NOT NULL DEFAULT '';
CREATE INDEX report_by_closed ON report (closed_at) WHERE closed_at > 0;
