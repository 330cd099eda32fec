import { PlatformError } from '../../domain/errors.ts'
import type { InstrumentStore } from './stores.ts'

/** @throws UNKNOWN_SYMBOL naming what no instrument has: a subscription to it would stay silent for ever. */
export async function requireKnown(
  symbols: readonly string[],
  instruments: Pick<InstrumentStore, 'find'>,
): Promise<void> {
  const known = await instruments.find(symbols)
  const unknown = symbols.filter((symbol) => !known.has(symbol))
  if (unknown.length > 0)
    throw new PlatformError('UNKNOWN_SYMBOL', `No instrument has the symbol ${unknown.join(' or ')}`)
}
