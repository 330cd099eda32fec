-- migrate:no-transaction
-- Materialise what is there before the policies start, lowest level first: a policy that breaks off half-way hides old rows.
-- The end is one bucket before now and never NULL: a NULL end moves the watermark past the open bucket, and rows written
-- to that bucket later stay invisible until the next refresh.
CALL refresh_continuous_aggregate('bars_5m', NULL, now() - INTERVAL '5 minutes');
CALL refresh_continuous_aggregate('bars_1h', NULL, now() - INTERVAL '1 hour');
CALL refresh_continuous_aggregate('bars_1d', NULL, now() - INTERVAL '1 day');
