import type { Tick } from '../../domain/tick.ts'
import type { Reject } from '../source.ts'
import type { StreamCheckpoint } from './checkpoint.ts'
import { gapFact } from './gap-fact.ts'
import { HISTORY_FEED, HoleFiller } from './hole-filler.ts'
import type { Waiting } from './outlet.ts'
import type { PrintBook, PrintBookContext } from './print-book.ts'
import { type Numbered, type Offered, PrintSequence } from './print-sequence.ts'
import type { Heartbeat, HistoricalPrint, Print } from './stream-protocol.ts'
import { isTick, type Provenance, STREAM_FEED, tickOfPrint } from './tick-of-print.ts'

interface Entry extends Numbered {
  readonly told: Tick | Reject
}

/** Prints that the venue numbers product by product: each once, in the order of its ids, holes filled. */
export class TradedPrints implements PrintBook {
  readonly #context: PrintBookContext
  readonly #sequences = new Map<string, PrintSequence<Entry>>()
  readonly #sources = new Map<string, string>()
  /** Of each product, the newest print that the reader has. */
  readonly #taken = new Map<string, { id: number; timeMs: number }>()
  readonly #filler: HoleFiller

  constructor(context: PrintBookContext, from: StreamCheckpoint) {
    this.#context = context
    const { protocol, name } = context
    for (const symbol of protocol.symbols) {
      const last = Object.hasOwn(from.products, symbol) ? from.products[symbol] : undefined
      if (last) this.#taken.set(symbol, last)
      this.#sources.set(symbol, `${name}:${symbol}`)
      this.#sequences.set(
        symbol,
        new PrintSequence(symbol, last && { id: last.id, eventTimeMs: last.timeMs }, (entry: Entry) =>
          this.#tell(entry),
        ),
      )
    }
    this.#filler = new HoleFiller({
      ...context,
      history: protocol.history,
      sequenceOf: (symbol) => this.#sequenceOf(symbol),
      room: () => context.outlet.room(context.signal),
      offer: (symbol, print) => this.#fromHistory(symbol, print),
      reject: (reject) => context.outlet.reject(reject),
      gap: (symbol, after, beforeId, why) => this.#gap(symbol, after, beforeId, why),
    })
  }

  print(print: Print, frame: Buffer, receivedAtMs: number): void {
    const sequence = this.#sequences.get(print.symbol)
    if (sequence === undefined) return
    this.#filler.printed(print.symbol)
    const entry = this.#entryOf(print.symbol, print, receivedAtMs, { feed: STREAM_FEED, original: () => frame })
    const { metrics, name } = this.#context
    switch (sequence.offer(entry, this.#hasRoom)) {
      case 'duplicate':
        metrics.streamDuplicates.inc({ source: name })
        break
      case 'refused':
        metrics.streamNotHeld.inc({ source: name })
        this.#filler.notice(print.symbol, receivedAtMs)
        break
      case 'held':
        this.#filler.notice(print.symbol, receivedAtMs)
        break
      default:
        return
    }
  }

  fact(): void {
    // Where prints are numbered, their numbers alone say how far it was heard.
  }

  heartbeat({ symbol, lastId }: Heartbeat, receivedAtMs: number): void {
    if (symbol === undefined || lastId === undefined) return
    const sequence = this.#sequences.get(symbol)
    if (sequence?.last === undefined || lastId <= sequence.last.id) return
    sequence.announce(lastId)
    this.#filler.notice(symbol, receivedAtMs)
  }

  connected(nowMs: number): void {
    this.#filler.connected(this.#context.protocol.symbols, nowMs)
  }

  tick(nowMs: number): void {
    this.#context.metrics.streamHeld.set({ source: this.#context.name }, this.#heldCount)
    this.#filler.tick(nowMs)
  }

  taken({ ticks }: Waiting): void {
    for (const { symbol, position, eventTimeMs } of ticks) {
      const last = this.#taken.get(symbol)
      if (last === undefined) this.#taken.set(symbol, { id: position, timeMs: eventTimeMs })
      else {
        last.id = position
        last.timeMs = eventTimeMs
      }
    }
  }

  checkpoint(): StreamCheckpoint {
    const products: StreamCheckpoint['products'] = {}
    for (const [symbol, { id, timeMs }] of this.#taken) products[symbol] = { id, timeMs }
    return { products, position: -1, receivedMs: -1 }
  }

  ended(): Promise<void> {
    return this.#filler.ended()
  }

  get #heldCount(): number {
    let count = 0
    for (const sequence of this.#sequences.values()) count += sequence.heldCount
    return count
  }

  get #hasRoom(): boolean {
    return this.#heldCount < this.#context.bounds.heldMax
  }

  #sequenceOf(symbol: string): PrintSequence<Entry> {
    const sequence = this.#sequences.get(symbol)
    if (sequence === undefined) throw new RangeError(`${this.#context.name} does not follow ${symbol}`)
    return sequence
  }

  #fromHistory(symbol: string, print: HistoricalPrint): Offered {
    const entry = this.#entryOf(symbol, print, this.#context.clock.now(), {
      feed: HISTORY_FEED,
      original: () => print.original(),
    })
    // Its number is bounded by the hole, so there is always room.
    return this.#sequenceOf(symbol).offer(entry, true)
  }

  #entryOf(symbol: string, print: Omit<Print, 'kind' | 'symbol'>, receivedAtMs: number, from: Provenance): Entry {
    const { id, price, size, eventTimeMs } = print
    const source = this.#sources.get(symbol) ?? this.#context.name
    const told = tickOfPrint({ symbol, price, size, eventTimeMs }, { source, position: id }, receivedAtMs, from)
    return { id, eventTimeMs, told }
  }

  #tell({ told }: Entry): void {
    if (isTick(told)) this.#context.outlet.tick(told)
    else this.#context.outlet.reject(told)
  }

  #gap(symbol: string, after: Numbered, beforeId: number, why: string): void {
    const { outlet, log, metrics, name, clock } = this.#context
    const count = beforeId - 1 - after.id
    metrics.streamGapPrints.inc({ source: name }, count)
    const detail = `${count} prints of ${symbol}, from ${after.id + 1} to ${beforeId - 1}, could not be had: ${why}`
    log.warn({ source: name, symbol, afterId: after.id, beforeId }, `${name} leaves a gap: ${detail}`)
    const source = this.#sources.get(symbol) ?? name
    outlet.fact(gapFact({ source, symbol, fromMs: after.eventTimeMs, foundAtMs: clock.now(), detail }))
  }
}
