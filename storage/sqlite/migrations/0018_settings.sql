-- What superadmins have set while the server runs, in place of what the configuration file says
-- or of the default. `value` is JSON. What was set before stands in the audit log.
CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    by    TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;

-- One row: how often there was a change.
CREATE TABLE setting_version (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
);
INSERT INTO setting_version (id, version) VALUES (1, 0);
