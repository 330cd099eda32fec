import { KNOWN_INSTRUMENTS } from '../domain/known-instruments.ts'
import type { Named } from '../domain/name-matcher.ts'

const NAMED: ReadonlyMap<string, Named> = new Map(
  KNOWN_INSTRUMENTS.filter(({ assetClass }) => assetClass !== 'FX').map(({ symbol, name }) => [
    symbol,
    { symbol, name, aliases: [] },
  ]),
)

/** What news call the instruments by, in the order of the symbols; pairs of currencies and symbols of no list have no name. */
export const namesOf = (symbols: readonly string[]): readonly Named[] =>
  symbols.map((symbol) => NAMED.get(symbol)).filter((named) => named !== undefined)

const DESCRIBED: ReadonlySet<string> = new Set(KNOWN_INSTRUMENTS.map(({ symbol }) => symbol))

/** Whether a list of ours says what it is. */
export const isDescribed = (symbol: string): boolean => DESCRIBED.has(symbol)
