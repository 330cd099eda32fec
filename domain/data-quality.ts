import { FactCheck } from './check-fact.ts'

export const DATA_QUALITY_KINDS = [
  /** Nothing has come from a source for longer than it is ever silent. */
  'SILENT_SOURCE',
  /** It is heard again. */
  'SOURCE_RECOVERED',
  /** A symbol is quiet for much longer than usual while its source goes on. */
  'STALE_SYMBOL',
  /** Prints of a source that the source cannot tell again. */
  'GAP',
  /** A print far older than those before it. */
  'OUT_OF_ORDER',
  /** A price far from the one before, measured in the symbol's own usual moves. */
  'JUMP',
  /** Two sources tell prices of one instrument, at one time, too far apart. */
  'VENUE_DISAGREEMENT',
  /** The venue has taken back or corrected a print. */
  'CORRECTION',
] as const
export type DataQualityKind = (typeof DATA_QUALITY_KINDS)[number]

/** Something to know before trusting a price. Natural key: kind, source, symbol, event time. */
export interface DataQuality {
  readonly kind: DataQualityKind
  readonly source: string
  /** Null where it is about the whole source. */
  readonly symbol: string | null
  /** Since when, or of which print, milliseconds since 1970 UTC. */
  readonly eventTimeMs: number
  readonly ingestTimeMs: number
  /** One sentence for people, with the numbers. */
  readonly detail: string
}

const check = new FactCheck('Data quality')

/** The only way to make one. @throws INVALID_EVENT with what was wrong. */
export function dataQuality(fields: DataQuality): DataQuality {
  if (!DATA_QUALITY_KINDS.includes(fields.kind))
    check.fail(`kind must be one of ${DATA_QUALITY_KINDS.join(', ')}`, fields.kind)
  check.text('source', fields.source, 500)
  if (fields.symbol !== null) check.symbol(fields.symbol)
  check.time('event time', fields.eventTimeMs)
  check.time('ingest time', fields.ingestTimeMs)
  check.text('detail', fields.detail, 1_000)
  return Object.freeze(fields)
}
