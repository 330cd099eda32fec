-- start_offset NULL: late rows of any age are picked up; only ranges that changed are computed again. bars_1m has no
-- retention and must not get one shorter than this window. end_offset is one bucket: never materialise an open one.
SELECT add_continuous_aggregate_policy('bars_5m',
  start_offset => NULL, end_offset => INTERVAL '5 minutes', schedule_interval => INTERVAL '1 minute');
SELECT add_continuous_aggregate_policy('bars_1h',
  start_offset => NULL, end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '5 minutes');
SELECT add_continuous_aggregate_policy('bars_1d',
  start_offset => NULL, end_offset => INTERVAL '1 day', schedule_interval => INTERVAL '30 minutes');
