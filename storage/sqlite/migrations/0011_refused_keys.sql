-- [KEY-4] Keys that a pinned server's document has shown, signing or recovery keys, and that the
-- administrator has said not to be its own. 32 octets each.
CREATE TABLE pin_refused (
    server TEXT NOT NULL REFERENCES pin (server),
    key    BLOB NOT NULL,
    PRIMARY KEY (server, key)
) WITHOUT ROWID;
