-- Servers and channels by small integers: every other table refers to those.
CREATE TABLE server (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- `state` is the channel's state (specification section 8) with its three lists empty;
-- those are rows of `member`. `floor` is the seq after which the log held here starts.
CREATE TABLE channel (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    home   INTEGER NOT NULL REFERENCES server (id),
    floor  INTEGER NOT NULL,
    frozen INTEGER NOT NULL DEFAULT 0,
    state  TEXT NOT NULL
);

CREATE TABLE head (
    channel INTEGER PRIMARY KEY REFERENCES channel (id),
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    at      INTEGER NOT NULL
);

-- The entries that one commit added to one channel; storage/run_codec.hpp says how
-- `proofs` and `body` are written. The rowid rises with every run written.
CREATE TABLE run (
    channel   INTEGER NOT NULL REFERENCES channel (id),
    last      INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    prev_hash TEXT NOT NULL,
    proofs    BLOB NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (channel, last)
);

-- The authority on "applied once": (channel, the author's server, txn).
CREATE TABLE dedup (
    channel INTEGER NOT NULL,
    origin  INTEGER NOT NULL,
    txn     BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (channel, origin, txn)
) WITHOUT ROWID;

-- `standing`: 0 member, 1 moderator, 2 owner, 3 invited, 4 banned, 5 left.
-- `since` is the seq of the entry that made it so; of a member, of the join.
CREATE TABLE member (
    channel  INTEGER NOT NULL,
    user     TEXT NOT NULL,
    standing INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) WITHOUT ROWID;
CREATE INDEX member_by_user ON member (user);

-- How far a follower holds a channel: at its home what the follower acknowledged, at
-- another follower what the home said. `until` ends the following (0: it goes on).
CREATE TABLE cursor (
    channel INTEGER NOT NULL,
    server  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    floor   INTEGER NOT NULL,
    until   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, server)
) WITHOUT ROWID;
CREATE INDEX cursor_by_server ON cursor (server);

-- Our users' events for channels homed elsewhere, until they come back in the log.
-- `seq` 0: not yet accepted. `problem` is a code's name where it was rejected.
CREATE TABLE submission (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT NOT NULL,
    home     INTEGER NOT NULL REFERENCES server (id),
    user     TEXT NOT NULL,
    txn      BLOB NOT NULL,
    event_id BLOB NOT NULL,
    type     TEXT NOT NULL,
    event    TEXT NOT NULL,
    content  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    seq      INTEGER NOT NULL DEFAULT 0,
    problem  TEXT NOT NULL DEFAULT '',
    UNIQUE (channel, txn)
);
CREATE INDEX submission_by_home ON submission (home, id);
CREATE INDEX submission_by_event ON submission (event_id);
CREATE INDEX submission_by_user ON submission (user, home);

-- Direct events that another server is owed.
CREATE TABLE direct_out (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    server  INTEGER NOT NULL REFERENCES server (id),
    event   TEXT NOT NULL,
    content TEXT NOT NULL,
    at      INTEGER NOT NULL
);
CREATE INDEX direct_out_by_server ON direct_out (server, id);

-- Direct events that were taken: 30 days of memory [INBOX-4].
CREATE TABLE direct_in (
    origin   INTEGER NOT NULL,
    txn      BLOB NOT NULL,
    event_id BLOB NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (origin, txn)
) WITHOUT ROWID;
CREATE INDEX direct_in_by_at ON direct_in (at);

-- Invitations of our users into channels homed elsewhere.
CREATE TABLE invitation (
    user       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    home       TEXT NOT NULL,
    sender     TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    encryption TEXT NOT NULL,
    members    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (user, channel)
) WITHOUT ROWID;

-- Channels made by our users, by the maker's txn, so that a repeat finds the first.
CREATE TABLE creation (
    user    TEXT NOT NULL,
    txn     BLOB NOT NULL,
    channel TEXT NOT NULL,
    PRIMARY KEY (user, txn)
) WITHOUT ROWID;

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
