import { PlatformError } from '../../domain/errors.ts'

/** @throws INVALID_ARGUMENT where both ends are given and nothing is between them. */
export function requireSpan(fromMs: number | undefined, toMs: number | undefined): void {
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `from must be before to, were ${new Date(fromMs).toISOString()} and ${new Date(toMs).toISOString()}`,
    )
}
