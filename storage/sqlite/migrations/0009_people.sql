-- What people show of themselves; `avatar` is a media id.
ALTER TABLE account_user ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE account_user ADD COLUMN avatar TEXT NOT NULL DEFAULT '';

-- What a device publishes for good: a JSON object that this server doesn't read.
CREATE TABLE device_keys (
    device INTEGER PRIMARY KEY REFERENCES account_device (id),
    keys   TEXT NOT NULL
);

-- Keys that are handed out once each, the lowest number first.
CREATE TABLE one_time_key (
    device INTEGER NOT NULL REFERENCES account_device (id),
    kind   TEXT NOT NULL,
    number INTEGER NOT NULL,
    key    TEXT NOT NULL,
    PRIMARY KEY (device, kind, number)
);

-- `highest`: the numbers up to it have been here, so that no repeated upload brings a key
-- back that was handed out. `fallback`: what is given when none is left; '': nothing.
CREATE TABLE key_kind (
    device   INTEGER NOT NULL REFERENCES account_device (id),
    kind     TEXT NOT NULL,
    highest  INTEGER NOT NULL DEFAULT 0,
    fallback TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (device, kind)
) WITHOUT ROWID;

-- Answers to claims, by who asked (a server, or a user of ours) and the txn: a repeat gets
-- the same. `claims` is the hash of what was asked.
CREATE TABLE claim_answer (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    asker  TEXT NOT NULL,
    txn    BLOB NOT NULL,
    claims BLOB NOT NULL,
    answer TEXT NOT NULL,
    at     INTEGER NOT NULL,
    UNIQUE (asker, txn)
);
CREATE INDEX claim_answer_by_asker ON claim_answer (asker, id);
CREATE INDEX claim_answer_by_at ON claim_answer (at);

-- Messages to one device, numbered from 1 and without holes; those up to `acked` are gone.
CREATE TABLE mailbox (
    device INTEGER PRIMARY KEY REFERENCES account_device (id),
    last   INTEGER NOT NULL,
    acked  INTEGER NOT NULL,
    octets INTEGER NOT NULL
);

-- `source`: whose share of the mailbox it takes, a user of ours or a server. `problem`: the
-- code's name where this isn't a message, but tells that one of the device's own was refused.
CREATE TABLE device_message (
    device        INTEGER NOT NULL REFERENCES account_device (id),
    number        INTEGER NOT NULL,
    source        TEXT NOT NULL,
    sender        TEXT NOT NULL,
    sender_device TEXT NOT NULL,
    at            INTEGER NOT NULL,
    problem       TEXT NOT NULL,
    body          TEXT NOT NULL,
    PRIMARY KEY (device, number)
);
CREATE INDEX device_message_by_source ON device_message (device, source);

-- Of a user's own direct events: whose, which type, and what is told if one is refused.
ALTER TABLE direct_out ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE direct_out ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE direct_out ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX direct_out_by_sender ON direct_out (sender, server, type) WHERE sender <> '';

-- Changes of users and devices that other servers have still to be told.
CREATE TABLE announcement (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    type TEXT NOT NULL,
    UNIQUE (user, type)
);

-- What moderators are told; `origin` is the server that passed it on, ours for our users.
CREATE TABLE report (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    origin  TEXT NOT NULL,
    sender  TEXT NOT NULL,
    user    TEXT NOT NULL,
    channel TEXT NOT NULL,
    event   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    at      INTEGER NOT NULL
);
CREATE INDEX report_by_origin ON report (origin);

-- How far our users have read; the highest wins.
CREATE TABLE read_marker (
    user    TEXT NOT NULL,
    channel TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (user, channel)
) WITHOUT ROWID;

-- Files of the media folder by their id. `stored`: the file is durable; until then the row
-- only counts towards its user's quota.
CREATE TABLE media (
    id     TEXT PRIMARY KEY,
    user   TEXT NOT NULL,
    octets INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX media_by_user ON media (user, at);
