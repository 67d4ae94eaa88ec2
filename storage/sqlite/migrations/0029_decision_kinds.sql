-- Which action it was about and what became of it: where there are too many, those of the kind of
-- which there are most go, so that nobody's requests drive out what others did.
ALTER TABLE decision ADD COLUMN kind TEXT NOT NULL DEFAULT '';
CREATE INDEX decision_kind ON decision (kind, id);
