import type { Named } from '../domain/name-matcher.ts'
import { SEED_INSTRUMENTS } from '../platform/store/instrument-seed.ts'

const KNOWN: ReadonlyMap<string, Named> = new Map(SEED_INSTRUMENTS.map((instrument) => [instrument.symbol, instrument]))
/** News name currencies all the time and mean no pair of them. */
const PAIRS: ReadonlySet<string> = new Set(
  SEED_INSTRUMENTS.filter(({ assetClass }) => assetClass === 'FX').map(({ symbol }) => symbol),
)

/** What news call the instruments by, in the order of the symbols; pairs of currencies and symbols of no list have no name. */
export const namesOf = (symbols: readonly string[]): readonly Named[] =>
  symbols.map((symbol) => (PAIRS.has(symbol) ? undefined : KNOWN.get(symbol))).filter((named) => named !== undefined)

/** Whether a list of ours says what it is. */
export const isDescribed = (symbol: string): boolean => KNOWN.has(symbol)
