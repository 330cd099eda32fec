/** What a streamed source may keep, and how long it waits. */
export interface StreamBounds {
  /** Facts and rejects that wait for the reader; beyond it the sockets are not read. */
  readonly waitingMax: number
  /** Bytes of rejects that wait for the reader. */
  readonly waitingBytesMax: number
  /** Prints of all products together that wait behind holes. Beyond it they are dropped and had from history afterwards. */
  readonly heldMax: number
  /** Prints of one hole that are fetched, the newest; older ones are a GAP. */
  readonly backfillPrintsMax: number
  /** Holes that are filled at the same time. */
  readonly fillsMax: number
  /** A hole that is open for longer than this is one, and no message that comes late. */
  readonly momentMs: number
  /** So long prints wait behind a hole that history does not fill any further; then it is a GAP. */
  readonly holdMsMax: number
  readonly retryMs: number
  /** A product without a print for so long after connecting is asked for, where the venue gives no other sign. */
  readonly quietMs: number
}

export const STREAM_BOUNDS: StreamBounds = {
  waitingMax: 20_000,
  waitingBytesMax: 8_388_608,
  heldMax: 50_000,
  backfillPrintsMax: 20_000,
  fillsMax: 4,
  momentMs: 500,
  holdMsMax: 60_000,
  retryMs: 1_000,
  quietMs: 5_000,
}

/**
 * Each product numbered by trade ids or by time is a source of its own, and processors remember 64 sources in each of 12
 * partitions (processors/source-progress.ts). Three venues of coins and the one teller of US stocks, with a hundred products
 * each, stay well below that.
 */
export const SYMBOLS_MAX = 100
