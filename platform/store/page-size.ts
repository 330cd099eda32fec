import { PlatformError } from '../../domain/errors.ts'

/** No reader of the store gets more rows than this at once: memory here and time there are bounded. */
export const PAGE_SIZE_MAX = 10_000

export function checkPageSize(first: number): void {
  if (!(Number.isSafeInteger(first) && first >= 1 && first <= PAGE_SIZE_MAX))
    throw new PlatformError('INVALID_ARGUMENT', `A page has 1 to ${PAGE_SIZE_MAX} rows, was ${first}`)
}
