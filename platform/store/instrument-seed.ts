import { readFileSync } from 'node:fs'
import type { Instrument } from '../../domain/instrument.ts'
import { readInstrumentSeed } from '../../domain/instrument-seed.ts'

/** When the list was last reviewed: raised with every change of it. What became known of an instrument later than this stays. */
export const SEED_AS_OF_MS = Date.UTC(2026, 10, 23)

/** Large companies, main funds, coins and currencies: what a new installation knows to trade. In order of symbol. */
export const SEED_INSTRUMENTS: readonly Instrument[] = readInstrumentSeed(
  readFileSync(new URL('../../prisma/seed/instruments.csv', import.meta.url), 'utf8'),
)
