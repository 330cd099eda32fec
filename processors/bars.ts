import {
  BAR_INTERVAL_MS,
  BAR_INTERVALS,
  type Bar,
  type BarInterval,
  barEnd,
  barOf,
  barStart,
  type FoldingBar,
} from '../domain/bar.ts'
import { formatSymbolBars, heldKey, type SymbolBars } from '../domain/held-bars.ts'
import type { Tick } from '../domain/tick.ts'
import type { BusRecord } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import { lateTopic } from '../platform/bus/topics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import { type BarRange, rangesWithBars, upsertBars } from '../platform/store/bar-writer.ts'
import type { Connection } from '../platform/store/connection.ts'
import { originHeaders } from '../platform/store/dead-letters.ts'
import type { KeyedChange } from '../platform/store/keyed-state.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'
import { ALLOWED_LATENESS_MS, type BarState, foldPrint, isLate, openBarState, passedMs } from './bar-state.ts'
import type { Fold, Owned, Processor } from './processor.ts'
import { readTicks, type TickWork } from './tick-reading.ts'

const MINUTE_MS = BAR_INTERVAL_MS['1m']

/**
 * stock-data → bars by event time. The one-minute bars are the table; each close and each correction, of every interval,
 * is an event on `stock-bars`; whoever listens hears every change.
 *
 * A bar closes when the watermark of each of its sources has passed its end. A print that comes after that corrects it,
 * until the allowed lateness ends: then the bar is final, and a print for it or within it, from whatever source, goes to
 * `stock-data.late` with its bytes. What decides is the source's own watermark, so a tape of 2013 is not late where
 * today's ticks were seen. Longer intervals take the same prints, so they equal the views over the table.
 */
export class Bars implements Processor<BarState, TickWork> {
  readonly name = 'bars'
  readonly topic = 'stock-data'
  readonly reading = readTicks({ keepsOriginals: true })
  readonly synchronousCommit = 'off'
  /** Nobody reads a bar that changes more than ten times a second, and each change costs four messages a symbol. */
  readonly fetchLingerMs = 100
  readonly quiet = false
  readonly #codec: Pick<EventCodec, 'encode'>

  constructor(codec: Pick<EventCodec, 'encode'>) {
    this.#codec = codec
  }

  open(claim: Claim): BarState {
    return openBarState(claim)
  }

  begin(): Fold<BarState, TickWork> {
    return new BarsFold(this.#codec)
  }
}

class BarsFold implements Fold<BarState, TickWork> {
  readonly events: OutboxEvent[] = []
  lateCount = 0
  readonly #codec: Pick<EventCodec, 'encode'>
  readonly #changed = new Set<FoldingBar>()
  readonly #dirty = new Map<SymbolBars, { state: BarState; symbol: string }>()
  /** Bars that have left the state and must not be opened again. */
  readonly #final = new Set<string>()
  #told: Bar[] = []

  constructor(codec: Pick<EventCodec, 'encode'>) {
    this.#codec = codec
  }

  /** A bar that is not held, and not newer than all that were, may be final already. Its minutes are in the table then. */
  async prepare(connection: Connection, work: readonly Owned<BarState, TickWork>[]): Promise<void> {
    const unsure = new Map<string, BarRange>()
    for (const { state, work: each } of work) {
      const { ticks } = each
      for (let i = 0; i < ticks.length; i++) {
        const own = state.symbols.get(ticks.symbol[i])
        // A minute leaves the state no later than the longer bars around it.
        if (!own?.held.has(heldKey(barStart(ticks.eventTimeMs[i], '1m'), '1m')))
          collectUnsure(unsure, own, ticks.symbol[i], ticks.eventTimeMs[i])
      }
    }
    for (const { symbol, startMs, interval } of await rangesWithBars(connection, [...unsure.values()]))
      this.#final.add(finalKey(symbol, startMs, interval))
  }

  add({ state, work }: Owned<BarState, TickWork>): void {
    const { ticks, originals, follows } = work
    const { progress } = state
    for (const { source, watermarkMs } of follows) {
      const beforeMs = progress.watermarkMs(source)
      progress.follow(source, watermarkMs)
      this.#pass(state, beforeMs, progress.watermarkMs(source))
    }
    for (let i = 0; i < ticks.length; i++) {
      const symbol = ticks.symbol[i]
      const source = ticks.source[i]
      const eventTimeMs = ticks.eventTimeMs[i]
      const beforeMs = progress.watermarkMs(source)
      if (isLate(eventTimeMs, beforeMs) || this.#isFinal(symbol, eventTimeMs))
        this.#putAside(work.partition, symbol, originals[i])
      else this.#fold(state, ticks.at(i))
      progress.admit(source, ticks.position[i], eventTimeMs, 0)
      this.#pass(state, beforeMs, progress.watermarkMs(source))
    }
  }

  async write(connection: Connection): Promise<void> {
    this.#told = Array.from(this.#changed, barOf)
    await upsertBars(
      connection,
      this.#told.filter(({ interval }) => interval === '1m'),
    )
  }

  get stateChanges(): KeyedChange[] {
    return Array.from(this.#dirty, ([own, { state, symbol }]) => ({
      partition: state.partition,
      key: symbol,
      value: formatSymbolBars(own),
    }))
  }

  async tell(publish: PubSub['publish']): Promise<void> {
    await Promise.all(this.#told.map((bar) => publish('bar', `${bar.symbol}:${bar.interval}`, bar)))
  }

  #isFinal(symbol: string, eventTimeMs: number): boolean {
    if (this.#final.size === 0) return false
    return BAR_INTERVALS.some((interval) =>
      this.#final.has(finalKey(symbol, barStart(eventTimeMs, interval), interval)),
    )
  }

  #fold(state: BarState, print: Tick): void {
    const own = symbolBars(state, print.symbol)
    own.newestStartMs = Math.max(own.newestStartMs, barStart(print.eventTimeMs, '1m'))
    for (const interval of BAR_INTERVALS) {
      const { bar } = foldPrint(own, state.progress, print, interval)
      this.#changed.add(bar)
      if (bar.closed) this.#tellBus(bar)
    }
    this.#dirty.set(own, { state, symbol: print.symbol })
  }

  /** Bars are looked at only when a watermark enters another minute: all of them end there. */
  #pass(state: BarState, beforeMs: number, afterMs: number): void {
    if (Math.floor(beforeMs / MINUTE_MS) === Math.floor(afterMs / MINUTE_MS)) return
    for (const [symbol, own] of state.symbols) {
      for (const [key, held] of own.held) {
        const passed = passedMs(held, state.progress)
        const { bar } = held
        if (barEnd(bar) > passed) continue
        const over = barEnd(bar) + ALLOWED_LATENESS_MS <= passed
        if (bar.closed && !over) continue
        if (!bar.closed) this.#close(bar)
        if (over) {
          own.held.delete(key)
          this.#final.add(finalKey(symbol, bar.startMs, bar.interval))
        }
        this.#dirty.set(own, { state, symbol })
      }
    }
  }

  #close(bar: FoldingBar): void {
    bar.closed = true
    this.#changed.add(bar)
    this.#tellBus(bar)
  }

  #tellBus(bar: FoldingBar): void {
    const { key, value, headers = {} } = this.#codec.encode('stock-bars', barOf(bar))
    this.events.push({ id: barEventId(bar), topic: 'stock-bars', key, headers, value })
  }

  #putAside(partition: number, symbol: string, original: BusRecord): void {
    this.lateCount++
    this.events.push({
      id: `late|bars|stock-data|${partition}|${original.offset}`,
      topic: lateTopic('stock-data'),
      key: original.key ?? symbol,
      headers: { ...original.headers, ...originHeaders('stock-data', partition, original.offset) },
      value: original.value,
    })
  }
}

/** The count of prints tells a bar's events apart: it closes once, and each correction adds a print. */
const barEventId = ({ symbol, interval, startMs, trades }: Omit<BarRange, 'endMs'> & { trades: number }): string =>
  `bar|${symbol}|${interval}|${startMs}|${trades}`

const finalKey = (symbol: string, startMs: number, interval: BarInterval) => `${symbol}|${heldKey(startMs, interval)}`

function collectUnsure(
  unsure: Map<string, BarRange>,
  own: SymbolBars | undefined,
  symbol: string,
  eventTimeMs: number,
): void {
  for (const interval of BAR_INTERVALS) {
    const startMs = barStart(eventTimeMs, interval)
    if (own && (own.held.has(heldKey(startMs, interval)) || startMs > barStart(own.newestStartMs, interval))) continue
    unsure.set(finalKey(symbol, startMs, interval), { symbol, startMs, interval, endMs: barEnd({ startMs, interval }) })
  }
}

function symbolBars(state: BarState, symbol: string): SymbolBars {
  const known = state.symbols.get(symbol)
  if (known) return known
  const fresh: SymbolBars = { newestStartMs: Number.NEGATIVE_INFINITY, held: new Map() }
  state.symbols.set(symbol, fresh)
  return fresh
}
