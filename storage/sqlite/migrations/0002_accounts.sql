-- Accounts of this server: people, their devices, sessions and refresh tokens.
-- Times are milliseconds since 1970 UTC. Secrets are stored as hashes only, but for
-- `account_secret`, which holds keys that all daemons of one database share.

CREATE TABLE account_user (
    id            INTEGER PRIMARY KEY,
    localpart     TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    suspended_at  INTEGER
);

CREATE TABLE account_device (
    id         INTEGER PRIMARY KEY,
    user       INTEGER NOT NULL REFERENCES account_user (id),
    device     BLOB    NOT NULL,
    key        BLOB    NOT NULL,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    UNIQUE (user, device)
);

CREATE TABLE account_session (
    id         BLOB    NOT NULL PRIMARY KEY,
    user       INTEGER NOT NULL REFERENCES account_user (id),
    device     INTEGER NOT NULL REFERENCES account_device (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER
) WITHOUT ROWID;

CREATE INDEX account_session_by_user ON account_session (user);

-- One row per token that was handed out in a session that may still live; `used_at`
-- tells the reuse of an old one from a token that never was.
CREATE TABLE account_refresh (
    hash      BLOB    NOT NULL PRIMARY KEY,
    session   BLOB    NOT NULL,
    issued_at INTEGER NOT NULL,
    used_at   INTEGER
) WITHOUT ROWID;

CREATE INDEX account_refresh_by_session ON account_refresh (session);

CREATE TABLE account_invite_code (
    hash       BLOB    NOT NULL PRIMARY KEY,
    uses_left  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE account_secret (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
