-- What other servers have earned and lost by their conduct. A row is there for whoever has had an
-- event accepted, or has fallen; `first_contact` is the time of the first accepted event, 0 where
-- there is none, `falls` counts those that were not pardoned.
CREATE TABLE standing (
    server        TEXT PRIMARY KEY,
    first_contact INTEGER NOT NULL,
    accepted      INTEGER NOT NULL,
    falls         INTEGER NOT NULL,
    fallen_until  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX standing_that_counts ON standing (server) WHERE accepted >= 100 OR falls > 0;

-- What each fall was for; `evidence` is a JSON object.
CREATE TABLE fall (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    server   TEXT NOT NULL,
    offence  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    evidence TEXT NOT NULL
);
CREATE INDEX fall_by_server ON fall (server, id);

-- Who was put into which tier while the server ran: `source` 0 by the administrator, 1 by a list;
-- `tier` 0 blocked, 1 quarantined, 2 guest, 3 known, 4 trusted.
CREATE TABLE tier_entry (
    source  INTEGER NOT NULL,
    server  TEXT NOT NULL,
    tier    INTEGER NOT NULL,
    comment TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (source, server)
) WITHOUT ROWID;

-- 1: from a server that isn't trusted that far, so the user is asked first.
ALTER TABLE invitation ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

-- Joins of public channels homed here that a moderator is asked about.
CREATE TABLE join_request (
    channel INTEGER NOT NULL,
    user    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) WITHOUT ROWID;

-- Servers whose administrator and ours trust each other, or one of them proposes to: `ours` and
-- `theirs` say who wants it, `at` is the time of the last word of theirs.
CREATE TABLE peering (
    server TEXT PRIMARY KEY,
    ours   INTEGER NOT NULL,
    theirs INTEGER NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;
