-- By txn first: as a UUIDv7 it rises with time, so that the messages of a commit, whatever
-- their channels, stand on one page of the index and not on one for each channel.
CREATE TABLE dedup_by_time (
    txn     BLOB NOT NULL,
    channel INTEGER NOT NULL,
    origin  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (txn, channel, origin)
) WITHOUT ROWID;
INSERT INTO dedup_by_time (txn, channel, origin, seq)
    SELECT txn, channel, origin, seq FROM dedup ORDER BY txn, channel, origin;
DROP TABLE dedup;
ALTER TABLE dedup_by_time RENAME TO dedup;
