-- An entry says which list it came from; entries of imports before this have come from "list".
CREATE TABLE tier_entry_by_origin (
    source  INTEGER NOT NULL,
    server  TEXT NOT NULL,
    origin  TEXT NOT NULL,
    tier    INTEGER NOT NULL,
    comment TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (source, server, origin)
) WITHOUT ROWID;
INSERT INTO tier_entry_by_origin (source, server, origin, tier, comment, at)
    SELECT source, server, CASE source WHEN 1 THEN 'list' ELSE '' END, tier, comment, at
    FROM tier_entry;
DROP TABLE tier_entry;
ALTER TABLE tier_entry_by_origin RENAME TO tier_entry;
