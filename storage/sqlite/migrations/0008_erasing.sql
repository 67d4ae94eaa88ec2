-- Edits by the message that they change, so that a deletion finds them [MEM-4].
CREATE TABLE edit_of (
    channel INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (channel, target, seq)
) WITHOUT ROWID;

-- Deleted messages with more edits than one commit erases: the rest is erased in steps.
CREATE TABLE erasure_owed (
    channel    INTEGER NOT NULL,
    target     INTEGER NOT NULL,
    deleted_by INTEGER NOT NULL,
    PRIMARY KEY (channel, target)
) WITHOUT ROWID;

-- Channels whose contents don't stay: `relay` 0 is `days:N`. Entries up to `done` have been
-- seen to; `due` is when to look again, in milliseconds. Whoever wants a look at once makes
-- it one that it never was: at most -1.
CREATE TABLE retention (
    channel INTEGER PRIMARY KEY REFERENCES channel (id),
    relay   INTEGER NOT NULL,
    done    INTEGER NOT NULL DEFAULT 0,
    due     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX retention_by_due ON retention (due);
-- A quote within a text is escaped in JSON, so no name can look like a retention.
INSERT INTO retention (channel, relay) SELECT id, 0 FROM channel
    WHERE state LIKE '%"retention":"days:%';
INSERT INTO retention (channel, relay) SELECT id, 1 FROM channel
    WHERE state LIKE '%"retention":"relay"%';

-- How far a device (account_device) says it has a channel whose retention is `relay`.
CREATE TABLE device_cursor (
    channel INTEGER NOT NULL,
    device  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (channel, device)
) WITHOUT ROWID;

-- Public channels, for the directory of their home.
CREATE TABLE listed (
    home    INTEGER NOT NULL,
    name    TEXT NOT NULL,
    channel INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (home, name)
) WITHOUT ROWID;
INSERT INTO listed (home, name, channel) SELECT home, name, id FROM channel
    WHERE state LIKE '%"public":true%' AND state LIKE '%"kind":"group"%';

-- Aliases of this server, #localpart@server, for channels homed here.
CREATE TABLE alias (
    localpart TEXT PRIMARY KEY,
    channel   INTEGER NOT NULL REFERENCES channel (id),
    made_by   TEXT NOT NULL,
    at        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX alias_by_channel ON alias (channel);

-- The entry behind which a member sees the log, as `history` was at the join [QRY-2];
-- -1: from before this was noted.
ALTER TABLE member ADD COLUMN sees_after INTEGER NOT NULL DEFAULT -1;
