-- Channels homed here that wait for what their followers hold, since older data may have
-- been put back [LOG-5]: nothing is appended to them.
CREATE TABLE held (
    channel INTEGER PRIMARY KEY REFERENCES channel (id)
);

-- What shows that a log has two histories [LOG-4], or an event in the name of one of our
-- users that this server did not seal [LOG-11]. `held` and `shown` are slices with their
-- roots, as an answer to a log query has them, but without contents: those are erased
-- elsewhere and must be gone then. `held` is empty where it says nothing.
CREATE TABLE evidence (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL REFERENCES channel (id),
    kind    TEXT NOT NULL,
    home    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    held    TEXT NOT NULL,
    shown   TEXT NOT NULL
);
CREATE INDEX evidence_by_channel ON evidence (channel, id);

-- Entries under a key for which only the channel's home vouches [LOG-6], until the author's
-- server shows it itself. `kid` is server#keyid.
CREATE TABLE vouched (
    channel INTEGER NOT NULL REFERENCES channel (id),
    seq     INTEGER NOT NULL,
    kid     TEXT NOT NULL,
    PRIMARY KEY (channel, seq)
) WITHOUT ROWID;
CREATE INDEX vouched_by_kid ON vouched (kid);
