-- AlterTable: what people call an instrument by, its company's number at the SEC, whether its description is of our own
-- reviewed list, and when it was described (NULL: listed by its first price, and not described by anybody).
ALTER TABLE "instruments"
  ADD COLUMN "aliases" TEXT[] NOT NULL DEFAULT '{}',
  ADD COLUMN "cik" TEXT,
  ADD COLUMN "reviewed" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "described_at" TIMESTAMPTZ(3);

-- AlterTable: from a source, which of its feeds told it, and when today's parser could read it after all.
ALTER TABLE "dead_letters"
  ADD COLUMN "feed" TEXT,
  ADD COLUMN "replayed_at" TIMESTAMPTZ(3);
