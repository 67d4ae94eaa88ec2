-- Messages from before where a channel's log begins here, that entries of it edit. In edit_of
-- and erasure_owed -id stands for the seq that can't be known.
CREATE TABLE unheld_target (
    id      INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL REFERENCES channel (id),
    event   BLOB NOT NULL,
    UNIQUE (channel, event)
);
