-- 5-minute, hourly and daily bars are computed from the 1-minute bars when they are read, so a late tick corrects all four
-- at once. Each view reads bars_1m itself (over a view over a view no index is used) and has an index on its very bin, so
-- `symbol = $1 AND time >= $2 AND time < $3` reads only that range. Bins are UTC; days are UTC days.
CREATE INDEX "bars_1m_bin_5m_idx" ON "bars_1m" ("symbol", (date_bin('5 minutes', "time", '2000-01-01 00:00:00+00')));
CREATE INDEX "bars_1m_bin_1h_idx" ON "bars_1m" ("symbol", (date_bin('1 hour', "time", '2000-01-01 00:00:00+00')));
CREATE INDEX "bars_1m_bin_1d_idx" ON "bars_1m" ("symbol", (date_bin('1 day', "time", '2000-01-01 00:00:00+00')));

CREATE VIEW "bars_5m" AS
SELECT b."symbol", date_bin('5 minutes', b."time", '2000-01-01 00:00:00+00') AS "time",
       (array_agg(b."open" ORDER BY b."time"))[1] AS "open", max(b."high") AS "high", min(b."low") AS "low",
       (array_agg(b."close" ORDER BY b."time" DESC))[1] AS "close",
       sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_1m" b GROUP BY 1, 2;

CREATE VIEW "bars_1h" AS
SELECT b."symbol", date_bin('1 hour', b."time", '2000-01-01 00:00:00+00') AS "time",
       (array_agg(b."open" ORDER BY b."time"))[1] AS "open", max(b."high") AS "high", min(b."low") AS "low",
       (array_agg(b."close" ORDER BY b."time" DESC))[1] AS "close",
       sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_1m" b GROUP BY 1, 2;

CREATE VIEW "bars_1d" AS
SELECT b."symbol", date_bin('1 day', b."time", '2000-01-01 00:00:00+00') AS "time",
       (array_agg(b."open" ORDER BY b."time"))[1] AS "open", max(b."high") AS "high", min(b."low") AS "low",
       (array_agg(b."close" ORDER BY b."time" DESC))[1] AS "close",
       sum(b."volume") AS "volume", sum(b."trades")::bigint AS "trades"
FROM "bars_1m" b GROUP BY 1, 2;
