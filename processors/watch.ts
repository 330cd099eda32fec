import { dataQuality } from '../domain/data-quality.ts'
import { clockOf } from '../domain/watch/heard-clock.ts'
import { type Finding, firstPrint, judgePrint, sourceOf } from '../domain/watch/watched-symbol.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { KeyedChange } from '../platform/store/keyed-state.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'
import type { Fold, Owned, Processor } from './processor.ts'
import { OUT_OF_ORDER_MAX_MS } from './source-progress.ts'
import { readTicks, type TickWork } from './tick-reading.ts'
import { clocksChange, symbolChange, type WatchBounds, WatchState } from './watch-state.ts'

export interface WatchOptions {
  readonly codec: Pick<EventCodec, 'encode'>
  readonly metrics: Pick<Metrics, 'qualityFound' | 'qualitySuppressed' | 'qualityForgotten'>
  readonly bounds?: WatchBounds
}

/**
 * stock-data → what to know before trusting a price, as events on `data-quality`; `quality` stores and tells them. The rules are
 * those of domain/watch: by event time, print by print. A finding's id follows from what it is about, so a replay tells
 * nothing a second time.
 *
 * What is knowable is what one partition holds: all sources of a symbol, but not all symbols of a source. Who is alone in its
 * partition is known to be quiet only by the watermarks that silent sources follow (idle.ts), so only while it is live.
 */
export class Watch implements Processor<WatchState, TickWork> {
  readonly name = 'watch'
  readonly topic = 'stock-data'
  readonly reading = readTicks({ keepsOriginals: false, clockOf })
  readonly synchronousCommit = 'off'
  /** A finding may come a moment later, and each transaction saves the symbols that it met. */
  readonly fetchLingerMs = 200
  readonly quiet = false
  readonly #options: WatchOptions

  constructor(options: WatchOptions) {
    this.#options = options
  }

  open(claim: Claim): WatchState {
    return new WatchState(claim, this.#options.bounds)
  }

  begin(): Fold<WatchState, TickWork> {
    return new WatchFold(this.#options)
  }
}

class WatchFold implements Fold<WatchState, TickWork> {
  readonly events: OutboxEvent[] = []
  readonly stateChanges: KeyedChange[] = []
  readonly lateCount = 0
  readonly #options: WatchOptions
  readonly #told: Finding[] = []
  readonly #suppressed: Finding[] = []
  readonly #states = new Set<WatchState>()
  #forgottenSymbols = 0
  #forgottenClocks = 0

  constructor(options: WatchOptions) {
    this.#options = options
  }

  add({ state, work }: Owned<WatchState, TickWork>): void {
    this.#states.add(state)
    const found: Finding[] = []
    for (const { source, watermarkMs } of work.follows) {
      state.follow(clockOf(source), watermarkMs, found)
      // Nothing came: it is as late as the source is elsewhere.
      this.#take(found, watermarkMs + OUT_OF_ORDER_MAX_MS)
    }
    const { ticks } = work
    for (let i = 0; i < ticks.length; i++) {
      const source = ticks.source[i]
      const eventTimeMs = ticks.eventTimeMs[i]
      const watched = state.touch(ticks.symbol[i])
      const own = sourceOf(watched, source)
      const clock = state.tell(own ? own.clock : clockOf(source), eventTimeMs, found)
      if (own) judgePrint(watched, own, ticks.price[i], eventTimeMs, clock, found)
      else firstPrint(watched, source, ticks.price[i], eventTimeMs, clock)
      if (found.length > 0) this.#take(found, ticks.ingestTimeMs[i])
    }
  }

  async write(): Promise<void> {
    for (const state of this.#states) {
      const changes = state.takeChanges()
      for (const [symbol, watched] of changes.symbols)
        this.stateChanges.push(symbolChange(state.partition, symbol, watched))
      if (changes.clocks) this.stateChanges.push(clocksChange(state))
      this.#forgottenSymbols += changes.forgottenSymbols
      this.#forgottenClocks += changes.forgottenClocks
    }
  }

  async tell(): Promise<void> {
    const { qualityForgotten, qualityFound, qualitySuppressed } = this.#options.metrics
    for (const { kind } of this.#told) qualityFound.inc({ kind })
    for (const { kind } of this.#suppressed) qualitySuppressed.inc({ kind })
    if (this.#forgottenSymbols > 0) qualityForgotten.inc({ what: 'symbol' }, this.#forgottenSymbols)
    if (this.#forgottenClocks > 0) qualityForgotten.inc({ what: 'clock' }, this.#forgottenClocks)
  }

  /** Empties the list. */
  #take(found: Finding[], ingestTimeMs: number): void {
    for (const finding of found) {
      if (finding.isSuppressed) this.#suppressed.push(finding)
      else {
        this.#told.push(finding)
        this.events.push(this.#eventOf(finding, ingestTimeMs))
      }
    }
    found.length = 0
  }

  #eventOf({ kind, source, symbol, eventTimeMs, detail }: Finding, ingestTimeMs: number): OutboxEvent {
    const fact = dataQuality({ kind, source, symbol, eventTimeMs, ingestTimeMs: Math.max(0, ingestTimeMs), detail })
    const { key, value, headers = {} } = this.#options.codec.encode('data-quality', fact)
    return { id: `quality|${kind}|${symbol}|${eventTimeMs}|${source}`, topic: 'data-quality', key, headers, value }
  }
}
