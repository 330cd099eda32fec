import { PlatformError } from '../../domain/errors.ts'
import { symbolOf } from '../../domain/instrument.ts'
import type { InstrumentStore } from './stores.ts'

/**
 * The symbols of an argument: lower case accepted, each once, in the order given.
 * @throws INVALID_ARGUMENT where one is malformed or there are too few or too many.
 */
export function symbolsOf(symbols: readonly string[], min: number, max: number): string[] {
  const distinct = [...new Set(symbols.map(symbolOf))]
  if (distinct.length < min || distinct.length > max)
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `symbols must name ${min} to ${max} instruments, named ${distinct.length}`,
    )
  return distinct
}

/** @throws UNKNOWN_SYMBOL naming what no instrument has: a subscription to it would stay silent for ever. */
export async function requireKnown(symbols: readonly string[], instruments: InstrumentStore): Promise<void> {
  const known = await instruments.find(symbols)
  const unknown = symbols.filter((symbol) => !known.has(symbol))
  if (unknown.length > 0)
    throw new PlatformError('UNKNOWN_SYMBOL', `No instrument has the symbol ${unknown.join(' or ')}`)
}
