-- [LOG-6] The keys of the entries in `vouched`: whoever orders the channel next has to show them
-- to its followers, and nobody else may be left to ask.
CREATE TABLE vouched_key (
    kid TEXT PRIMARY KEY,
    x   TEXT NOT NULL
) WITHOUT ROWID;
