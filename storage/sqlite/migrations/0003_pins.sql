-- What this server holds of others: one row per pinned server, one per key of it.
-- `conflict` is 1 while the server's document contradicts the pins. Keys are 32 octets.
CREATE TABLE pin (
    server             TEXT PRIMARY KEY,
    api                TEXT NOT NULL,
    recovery           BLOB NOT NULL,
    transaction_bytes  INTEGER NOT NULL,
    transaction_items  INTEGER NOT NULL,
    max_age            INTEGER NOT NULL,
    conflict           INTEGER NOT NULL,
    pinned_at          INTEGER NOT NULL
);

-- `status`: 0 active, 1 retired, 2 revoked. Times in milliseconds, 0 where there is none.
CREATE TABLE pin_key (
    server     TEXT NOT NULL REFERENCES pin (server),
    key        BLOB NOT NULL,
    status     INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    replaced   INTEGER NOT NULL,
    revoked    INTEGER NOT NULL,
    PRIMARY KEY (server, key)
) WITHOUT ROWID;
