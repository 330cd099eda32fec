import { dataQuality } from '../../domain/data-quality.ts'
import type { Fact } from '../../platform/bus/topics.ts'

const DETAIL_LENGTH_MAX = 1_000

export interface Gap {
  readonly source: string
  /** null: of all that the source follows. */
  readonly symbol: string | null
  /** Of the last print before it. */
  readonly fromMs: number
  readonly foundAtMs: number
  readonly detail: string
}

/** Prints are missing that the source cannot tell again. */
export const gapFact = ({ source, symbol, fromMs, foundAtMs, detail }: Gap): Fact => ({
  topic: 'data-quality',
  event: dataQuality({
    kind: 'GAP',
    source,
    symbol,
    eventTimeMs: fromMs,
    ingestTimeMs: foundAtMs,
    detail: detail.slice(0, DETAIL_LENGTH_MAX),
  }),
})
