-- Open reports are counted with each new one: all, of a server, of a user, with a proof.
CREATE INDEX report_open ON report (origin, sender) WHERE closed_at = 0;
CREATE INDEX report_open_proven ON report (origin) WHERE closed_at = 0 AND proof <> '';
