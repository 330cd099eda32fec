import { isPlatformError } from '../../domain/errors.ts'
import { type Tick, tick } from '../../domain/tick.ts'
import { rejectOf } from '../reject-position.ts'
import type { Reject } from '../source.ts'
import type { Print } from './stream-protocol.ts'

/** What came over a socket and was put aside is of this feed of its source. */
export const STREAM_FEED = 'stream'

/** Where a print came from, for the case that it is to be put aside. */
export interface Provenance {
  readonly feed: string
  original(): Buffer
}

/** The tick that the print is, or the reject where it breaks a rule of ticks. */
export function tickOfPrint(
  print: Omit<Print, 'kind' | 'id'>,
  numbered: { readonly source: string; readonly position: number },
  ingestTimeMs: number,
  from: Provenance,
): Tick | Reject {
  const { symbol, price, size, eventTimeMs } = print
  const { source, position } = numbered
  try {
    return tick({ symbol, price, size, eventTimeMs, ingestTimeMs, seq: position, source, position })
  } catch (error) {
    if (!isPlatformError(error, 'INVALID_EVENT')) throw error
    return rejectOf(error.message, from.original(), from.feed)
  }
}

export const isTick = (told: Tick | Reject): told is Tick => 'price' in told
