-- What pinned servers have said of their keys: rotations, revocations and recoveries, as they
-- came. `pin_key` and `pin.recovery` stay what was first pinned; the rest follows from these.
-- `position`: the order of arrival, from 0. `standing`: 0 waits for a key, 1 proven, 2 besides
-- the first rotation by its key that was pinned. Times in milliseconds.
CREATE TABLE pin_statement (
    server      TEXT NOT NULL REFERENCES pin (server),
    position    INTEGER NOT NULL,
    statement   TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    standing    INTEGER NOT NULL,
    PRIMARY KEY (server, position)
);
