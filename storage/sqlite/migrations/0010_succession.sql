-- Epochs of a log that are over: who ordered them, and their last entry [SUC-2].
CREATE TABLE epoch (
    channel INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    home    INTEGER NOT NULL REFERENCES server (id),
    last    INTEGER NOT NULL,
    PRIMARY KEY (channel, epoch)
) WITHOUT ROWID;

-- That an owner wants a channel that is homed here to move: one wish for each channel, the
-- last. `question` is the row of direct_out that asks the new home; `seq` the entry that moved
-- it, 0 until then; `problem` a code's name where it was refused. `device` is '' for none.
CREATE TABLE move (
    channel  INTEGER PRIMARY KEY REFERENCES channel (id),
    home     TEXT NOT NULL,
    user     TEXT NOT NULL,
    device   BLOB NOT NULL,
    txn      BLOB NOT NULL,
    question INTEGER NOT NULL,
    seq      INTEGER NOT NULL DEFAULT 0,
    problem  TEXT NOT NULL DEFAULT ''
);
