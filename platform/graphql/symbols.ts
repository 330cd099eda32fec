import { PlatformError } from '../../domain/errors.ts'
import { symbolOf } from '../../domain/instrument.ts'

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
