-- Logs that their home can't go on with here: every slice has been refused since then
-- [LOG-1]. `problem` is a code's name; `told` is 1 once people have been told.
CREATE TABLE stalled (
    channel INTEGER PRIMARY KEY REFERENCES channel (id),
    since   INTEGER NOT NULL,
    problem TEXT NOT NULL,
    told    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX stalled_untold ON stalled (since) WHERE told = 0;

-- 1: its author has been told that it still waits [RETRY-1].
ALTER TABLE submission ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX submission_untold ON submission (at) WHERE seq = 0 AND problem = '' AND told = 0;
