-- Facts that are not ticks. Each is known by its natural key, so that one told twice is one row.

-- AlterTable: which source told the newest tick. What is there already finds out from its own row.
ALTER TABLE "quotes" ADD COLUMN "source" TEXT NOT NULL DEFAULT '';
UPDATE "quotes" q SET "source" = coalesce((SELECT s."source" FROM "stock_data" s
  WHERE s."symbol" = q."symbol" AND s."time" = q."time" AND s."seq" = q."seq" ORDER BY s."source" LIMIT 1), '');

-- CreateTable: articles, press releases, halts and filings. The last five columns are those of a filing.
CREATE TABLE "news_data" (
    "id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "licence" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "headline" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "publisher" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,
    "symbols" TEXT[] NOT NULL,
    "vendor_sentiment" DOUBLE PRECISION,
    "form" TEXT,
    "items" TEXT[],
    "accession_number" TEXT,
    "cik" TEXT,
    "company" TEXT,

    CONSTRAINT "news_data_pkey" PRIMARY KEY ("id")
);

-- CreateTable: news_data once more by each symbol it names, so that the newest of a symbol are the end of an index and
-- not the result of sorting all it ever was named in. What is filtered by while walking is here too.
CREATE TABLE "news_symbols" (
    "symbol" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "id" TEXT NOT NULL,

    CONSTRAINT "news_symbols_pkey" PRIMARY KEY ("symbol","kind","published_at","id")
);

-- CreateTable
CREATE TABLE "economic_series" (
    "series_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "frequency" TEXT NOT NULL,
    "seasonally_adjusted" BOOLEAN NOT NULL,
    "source" TEXT NOT NULL,
    "licence" TEXT NOT NULL,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "economic_series_pkey" PRIMARY KEY ("series_id")
);

-- CreateTable: every value a period ever had, by the day from which it was the known one.
CREATE TABLE "economic_data" (
    "series_id" TEXT NOT NULL,
    "date" DATE NOT NULL,
    "vintage" DATE NOT NULL,
    "value" DOUBLE PRECISION,
    "released_at" TIMESTAMPTZ(3) NOT NULL,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "economic_data_pkey" PRIMARY KEY ("series_id","date","vintage")
);

-- CreateTable
CREATE TABLE "economic_releases" (
    "source" TEXT NOT NULL,
    "release_id" TEXT NOT NULL,
    "date" DATE NOT NULL,
    "licence" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "releases_at" TIMESTAMPTZ(3),
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "economic_releases_pkey" PRIMARY KEY ("source","release_id","date")
);

-- CreateTable: the newest picture each vendor has of an instrument's price.
CREATE TABLE "quote_snapshots" (
    "symbol" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "licence" TEXT NOT NULL,
    "price" DOUBLE PRECISION NOT NULL,
    "previous_close" DOUBLE PRECISION,
    "day_volume" DOUBLE PRECISION,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,
    "delayed" BOOLEAN NOT NULL,

    CONSTRAINT "quote_snapshots_pkey" PRIMARY KEY ("symbol","source")
) WITH (fillfactor = 50);

-- CreateTable: bars as vendors computed them. Ours, where we have one, counts.
CREATE TABLE "historical_bars" (
    "symbol" TEXT NOT NULL,
    "interval" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "source" TEXT NOT NULL,
    "licence" TEXT NOT NULL,
    "open" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "close" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "trades" BIGINT,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "historical_bars_pkey" PRIMARY KEY ("symbol","interval","time","source")
);

-- CreateTable: what to know before trusting a price. Symbol '' is the whole source, so that the natural key is unique.
CREATE TABLE "data_quality" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "symbol" TEXT NOT NULL DEFAULT '',
    "time" TIMESTAMPTZ(3) NOT NULL,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,
    "detail" TEXT NOT NULL,

    CONSTRAINT "data_quality_pkey" PRIMARY KEY ("id")
);

-- CreateTable: what was spent of each vendor's budget. Updated with every request: room for HOT updates.
CREATE TABLE "source_quota" (
    "name" TEXT NOT NULL,
    "spent" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "source_quota_pkey" PRIMARY KEY ("name")
) WITH (fillfactor = 50);

-- CreateTable: who would like a symbol to be fresh, per process that speaks for its clients.
CREATE TABLE "symbol_interest" (
    "symbol" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "alert_rules" INTEGER NOT NULL DEFAULT 0,
    "watchers" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "symbol_interest_pkey" PRIMARY KEY ("symbol","holder")
) WITH (fillfactor = 50);

-- CreateTable: when a source means to ask for a symbol next.
CREATE TABLE "update_plan" (
    "source" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "next_update_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "update_plan_pkey" PRIMARY KEY ("source","symbol")
) WITH (fillfactor = 50);

-- CreateIndex: each ends in (published_at, id), so that a page of any of them is read from its end backwards.
CREATE INDEX "news_data_published_at_id_idx" ON "news_data"("published_at", "id");
CREATE INDEX "news_data_kind_published_at_id_idx" ON "news_data"("kind", "published_at", "id");
CREATE INDEX "news_data_source_published_at_id_idx" ON "news_data"("source", "published_at", "id");
CREATE INDEX "news_data_publisher_published_at_id_idx" ON "news_data"("publisher", "published_at", "id");

-- CreateIndex
CREATE INDEX "economic_releases_date_source_release_id_idx" ON "economic_releases"("date", "source", "release_id");

-- CreateIndex
CREATE UNIQUE INDEX "data_quality_kind_source_symbol_time_key" ON "data_quality"("kind", "source", "symbol", "time");
CREATE INDEX "data_quality_time_id_idx" ON "data_quality"("time", "id");
CREATE INDEX "data_quality_symbol_time_id_idx" ON "data_quality"("symbol", "time", "id");
CREATE INDEX "data_quality_source_time_id_idx" ON "data_quality"("source", "time", "id");

-- CreateIndex
CREATE INDEX "symbol_interest_holder_idx" ON "symbol_interest"("holder");
CREATE INDEX "update_plan_symbol_idx" ON "update_plan"("symbol");
