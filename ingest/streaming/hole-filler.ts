import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { rejectOf } from '../reject-position.ts'
import type { Reject } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import type { StreamBounds } from './bounds.ts'
import type { Holed, Numbered, Offered } from './print-sequence.ts'
import type { HistoricalPrint, HistoryPage, Hole, TradeHistory } from './stream-protocol.ts'

/** Pages asked for in one go; a venue that never comes to an end is asked again later. */
const PAGES_MAX = 200
/** What came from the venue's history and was put aside is of this feed of its source. */
export const HISTORY_FEED = 'history'

export interface HoleFillerContext {
  readonly name: string
  readonly history: TradeHistory | undefined
  readonly bounds: StreamBounds
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
  sequenceOf(symbol: string): Holed
  /** Resolves when the reader has room for a page. */
  room(): Promise<void>
  offer(symbol: string, print: HistoricalPrint): Offered
  reject(reject: Reject): void
  /** So many prints will never come. */
  gap(symbol: string, after: Numbered, beforeId: number, why: string): void
  /** A fault of ours. */
  failed(error: unknown): void
}

/**
 * Fills the holes of all products from the venue's history, each exactly: what is missing is asked for, nothing else. A
 * hole that cannot be filled is given up with a GAP, so that what waits behind it goes on.
 */
export class HoleFiller {
  readonly #context: HoleFillerContext
  /** When each hole was noticed. */
  readonly #noticedMs = new Map<string, number>()
  /** Products that have told nothing since the connection: when to ask for them. */
  readonly #askAtMs = new Map<string, number>()
  readonly #filling = new Map<string, Promise<void>>()

  constructor(context: HoleFillerContext) {
    this.#context = context
  }

  notice(symbol: string, nowMs: number): void {
    if (!this.#noticedMs.has(symbol)) this.#noticedMs.set(symbol, nowMs)
  }

  /** After every connection: a venue may have printed what it does not tell again. */
  connected(symbols: readonly string[], nowMs: number): void {
    const { history, bounds } = this.#context
    if (history?.asksAlways) for (const symbol of symbols) this.#askAtMs.set(symbol, nowMs + bounds.quietMs)
  }

  /** A print says itself whether there is a hole before it. */
  printed(symbol: string): void {
    this.#askAtMs.delete(symbol)
  }

  tick(nowMs: number): void {
    const { bounds, sequenceOf } = this.#context
    for (const [symbol, sinceMs] of this.#noticedMs)
      if (sequenceOf(symbol).hole() === undefined) this.#noticedMs.delete(symbol)
      else if (nowMs - sinceMs >= bounds.momentMs) this.#start(symbol, (sequence) => this.#fill(sequence))
    for (const [symbol, atMs] of this.#askAtMs)
      if (nowMs >= atMs && this.#start(symbol, (sequence) => this.#catchUp(sequence))) this.#askAtMs.delete(symbol)
  }

  /** Resolves when nothing is asked for any more; soon after the signal aborted. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#filling.values())
  }

  #start(symbol: string, work: (sequence: Holed) => Promise<void>): boolean {
    const { bounds, sequenceOf, signal } = this.#context
    if (signal.aborted || this.#filling.has(symbol) || this.#filling.size >= bounds.fillsMax) return false
    const filling = work(sequenceOf(symbol))
      .catch(this.#context.failed)
      .finally(() => this.#filling.delete(symbol))
    this.#filling.set(symbol, filling)
    return true
  }

  /** Until the product has no hole. */
  async #fill(sequence: Holed): Promise<void> {
    const { bounds, clock, signal, history } = this.#context
    let progressMs = clock.now()
    for (let hole = sequence.hole(); hole !== undefined && !signal.aborted; hole = sequence.hole()) {
      if (history === undefined) {
        this.#giveUp(sequence, hole.beforeId, 'its vendor tells no history')
        continue
      }
      const tooMany = hole.beforeId - 1 - hole.after.id - bounds.backfillPrintsMax
      if (tooMany > 0) {
        this.#giveUp(sequence, hole.after.id + 1 + tooMany, `no more than ${bounds.backfillPrintsMax} are fetched`)
        continue
      }
      const { gained, error } = await this.#ask(sequence, hole, history)
      const nowMs = clock.now()
      if (gained > 0) progressMs = nowMs
      else if (isFinal(error) || nowMs - progressMs >= bounds.holdMsMax)
        this.#giveUp(sequence, hole.beforeId, error?.message ?? 'the history of its vendor does not hold them')
      else await clock.sleep(this.#pauseMs(error, progressMs, nowMs), signal)
    }
  }

  /** What the venue has printed since the last print that we have, as far as it tells. */
  async #catchUp(sequence: Holed): Promise<void> {
    const { history, log, name } = this.#context
    if (sequence.last === undefined || history === undefined) return
    const hole = { symbol: sequence.symbol, after: sequence.last, beforeId: undefined }
    const { error } = await this.#ask(sequence, hole, history)
    // The next print will show whether there is a hole.
    if (error) log.debug({ source: name, symbol: sequence.symbol, err: error }, `${name} could not catch up yet`)
  }

  async #ask(sequence: Holed, hole: Hole, history: TradeHistory): Promise<{ gained: number; error?: VendorError }> {
    const { signal } = this.#context
    let gained = 0
    let pages = 0
    try {
      for await (const page of history.prints(hole, signal)) {
        await this.#context.room()
        if (signal.aborted) break
        gained += this.#takePage(page, hole)
        const isFilled = hole.beforeId !== undefined && (sequence.last?.id ?? -1) >= hole.beforeId - 1
        if (isFilled || ++pages >= PAGES_MAX) break
      }
      return { gained }
    } catch (error) {
      if (signal.aborted) return { gained }
      if (!(error instanceof VendorError)) throw error
      if (error.code === 'VENDOR_ANSWER' && error.original !== undefined)
        this.#context.reject(rejectOf(error.message, error.original, HISTORY_FEED))
      return { gained, error }
    }
  }

  #takePage(page: HistoryPage, hole: Hole): number {
    const { metrics, name, offer, reject } = this.#context
    for (const each of page.rejects) reject({ ...each, feed: HISTORY_FEED })
    let gained = 0
    for (const print of page.prints) {
      if (print.id <= hole.after.id || (hole.beforeId !== undefined && print.id >= hole.beforeId)) continue
      const outcome = offer(hole.symbol, print)
      if (outcome === 'next' || outcome === 'held') gained++
    }
    metrics.streamBackfilled.inc({ source: name }, gained)
    return gained
  }

  #giveUp(sequence: Holed, beforeId: number, why: string): void {
    const hole = sequence.hole()
    if (hole === undefined) return
    const { after } = hole
    this.#context.gap(sequence.symbol, after, beforeId, why)
    const share = (beforeId - 1 - after.id) / (hole.beforeId - after.id)
    const beforeTimeMs = hole.beforeTimeMs ?? after.eventTimeMs
    sequence.giveUpBefore(beforeId, Math.floor(after.eventTimeMs + (beforeTimeMs - after.eventTimeMs) * share))
  }

  /** A vendor who says when to come back is asked then, unless that is too late for what waits. */
  #pauseMs(error: VendorError | undefined, progressMs: number, nowMs: number): number {
    const { retryMs, holdMsMax } = this.#context.bounds
    const untilMs = Math.min(error?.retryAtMs ?? nowMs + retryMs, progressMs + holdMsMax)
    return Math.max(untilMs - nowMs, Math.min(retryMs, holdMsMax))
  }
}

/** Asking for it again would bring the same. */
export const isFinal = (error: VendorError | undefined): boolean =>
  error?.code === 'VENDOR_REFUSED' || error?.code === 'VENDOR_UNKNOWN'
