-- CreateTable
CREATE TABLE "instruments" (
    "symbol" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "exchange" TEXT NOT NULL DEFAULT '',
    "currency" TEXT NOT NULL DEFAULT 'USD',
    "asset_class" TEXT NOT NULL DEFAULT 'UNKNOWN',

    CONSTRAINT "instruments_pkey" PRIMARY KEY ("symbol")
);

-- CreateTable
CREATE TABLE "stock_data" (
    "symbol" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "seq" BIGINT NOT NULL,
    "source" TEXT NOT NULL,
    "price" DOUBLE PRECISION NOT NULL,
    "size" DOUBLE PRECISION NOT NULL,
    "ingest_time" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stock_data_pkey" PRIMARY KEY ("symbol","time","seq","source")
);

-- CreateTable
CREATE TABLE "quotes" (
    "symbol" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "seq" BIGINT NOT NULL,
    "price" DOUBLE PRECISION NOT NULL,
    "size" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "quotes_pkey" PRIMARY KEY ("symbol")
) WITH (fillfactor = 50);

-- CreateTable
CREATE TABLE "bars_1m" (
    "symbol" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "open" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "close" DOUBLE PRECISION NOT NULL,
    "volume" DOUBLE PRECISION NOT NULL,
    "trades" BIGINT NOT NULL,

    CONSTRAINT "bars_1m_pkey" PRIMARY KEY ("symbol","time")
);

-- CreateTable: how far each processor has come in each partition. Updated once per transaction: room for HOT updates.
CREATE TABLE "stream_checkpoint" (
    "app" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "part" INTEGER NOT NULL,
    "next_offset" BIGINT NOT NULL,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    -- source -> {"position": highest position processed, "watermark": event time in ms}
    "sources" JSONB NOT NULL DEFAULT '{}',
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stream_checkpoint_pkey" PRIMARY KEY ("app","topic","part")
) WITH (fillfactor = 50);

-- CreateTable
CREATE TABLE "keyed_state" (
    "app" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "part" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "keyed_state_pkey" PRIMARY KEY ("app","topic","part","key")
) WITH (fillfactor = 70);

-- CreateTable: events on their way to the bus, written in the transaction that caused them.
CREATE TABLE "outbox" (
    "id" BIGSERIAL NOT NULL,
    "event_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "headers" JSONB NOT NULL DEFAULT '{}',
    "value" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable: what was given up on. From a source: app = 'ingest', topic = source, part = -1, offset = position.
CREATE TABLE "dead_letters" (
    "app" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "part" INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    "code" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "value" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("app","topic","part","offset")
);

-- CreateTable: how far each source was read.
CREATE TABLE "source_checkpoint" (
    "source" TEXT NOT NULL,
    "checkpoint" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "source_checkpoint_pkey" PRIMARY KEY ("source")
);

-- CreateIndex
CREATE UNIQUE INDEX "outbox_event_id_key" ON "outbox"("event_id");
