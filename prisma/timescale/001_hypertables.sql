-- Where TimescaleDB is loaded: the same tables and names, kept in chunks, compressed, and the views materialised.
-- No retention policy: it goes by event time and would delete a replayed tape of years ago. An operator adds one.
-- One transaction; it locks the tables while it moves their rows. No default indexes: to Prisma they would be drift.
SELECT create_hypertable('stock_data', by_range('time', INTERVAL '1 day'),
  create_default_indexes => false, migrate_data => true, if_not_exists => true);
SELECT create_hypertable('bars_1m', by_range('time', INTERVAL '7 days'),
  create_default_indexes => false, migrate_data => true, if_not_exists => true);

ALTER TABLE "stock_data" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = 'symbol', timescaledb.orderby = 'time DESC, seq DESC, source');
CALL add_columnstore_policy('stock_data', after => INTERVAL '2 days', if_not_exists => true);

ALTER TABLE "bars_1m" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = 'symbol', timescaledb.orderby = 'time DESC');
CALL add_columnstore_policy('bars_1m', after => INTERVAL '30 days', if_not_exists => true);

DROP VIEW "bars_1d";
DROP VIEW "bars_1h";
DROP VIEW "bars_5m";
DROP INDEX "bars_1m_bin_5m_idx";
DROP INDEX "bars_1m_bin_1h_idx";
DROP INDEX "bars_1m_bin_1d_idx";

-- materialized_only = false: a minute that is not materialised yet is read from below, at all three levels.
CREATE MATERIALIZED VIEW "bars_5m" WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT b."symbol", time_bucket(INTERVAL '5 minutes', b."time") AS "time",
       first(b."open", b."time") AS "open", max(b."high") AS "high", min(b."low") AS "low",
       last(b."close", b."time") AS "close", sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_1m" b GROUP BY 1, 2 WITH NO DATA;

CREATE MATERIALIZED VIEW "bars_1h" WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT b."symbol", time_bucket(INTERVAL '1 hour', b."time") AS "time",
       first(b."open", b."time") AS "open", max(b."high") AS "high", min(b."low") AS "low",
       last(b."close", b."time") AS "close", sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_5m" b GROUP BY 1, 2 WITH NO DATA;

CREATE MATERIALIZED VIEW "bars_1d" WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT b."symbol", time_bucket(INTERVAL '1 day', b."time") AS "time",
       first(b."open", b."time") AS "open", max(b."high") AS "high", min(b."low") AS "low",
       last(b."close", b."time") AS "close", sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_1h" b GROUP BY 1, 2 WITH NO DATA;
