-- A deleted account leaves its channels: `departing_at` is since when it does, NULL once it has.
-- Who was deleted before this was so leaves now.
ALTER TABLE account_user ADD COLUMN departing_at INTEGER;
UPDATE account_user SET departing_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000
    WHERE deleted_at IS NOT NULL;
CREATE INDEX account_departing ON account_user (departing_at) WHERE departing_at IS NOT NULL;
