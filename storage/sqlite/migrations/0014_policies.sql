-- Versions of policies, which are only ever added: the newest of each counts. `text` is NULL where
-- it goes back to what the program ships, or ends where it ships none. Times are milliseconds
-- since 1970 UTC.
CREATE TABLE policy (
    id      TEXT    NOT NULL,
    version INTEGER NOT NULL,
    text    TEXT,
    author  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) WITHOUT ROWID;

-- What was decided, to try other policies on; a sample, the oldest go.
CREATE TABLE decision (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    record TEXT    NOT NULL
);
CREATE INDEX decision_at ON decision (at);
