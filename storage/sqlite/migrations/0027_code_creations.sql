-- Registration codes by their maker's `txn`, for 30 days, so that a repeat gets the first one.
-- `asked` is a hash of both: what is kept says nothing of the code.
CREATE TABLE code_creation (
    asked BLOB PRIMARY KEY,
    uses  INTEGER NOT NULL,
    life  INTEGER NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX code_creation_by_at ON code_creation (at);
