import { isFxPair, pairOf } from '../../../domain/currencies.ts'
import { isUsStock } from '../../us-stocks.ts'

/** What a symbol is to Twelve Data. They trade at different hours, and coins are told by others, live and without a key. */
export type Kind = 'stock' | 'currency' | 'coin'

/** Undefined for what it does not know under our name: indices, and stocks of other exchanges. */
export function kindOf(symbol: string): Kind | undefined {
  const pair = pairOf(symbol)
  if (pair === undefined) return isUsStock(symbol) ? 'stock' : undefined
  return isFxPair(pair) ? 'currency' : 'coin'
}

/** Those that it knows, coins last: where there is not room for all, they are left out first. */
export function knownSymbols(symbols: readonly string[]): readonly string[] {
  const known = symbols.filter((symbol) => kindOf(symbol) !== undefined)
  return known.toSorted((a, b) => Number(kindOf(a) === 'coin') - Number(kindOf(b) === 'coin'))
}
