import type { Fact } from '../../platform/bus/topics.ts'
import type { StreamCheckpoint } from './checkpoint.ts'
import { gapFact } from './gap-fact.ts'
import type { Waiting } from './outlet.ts'
import type { PrintBook, PrintBookContext } from './print-book.ts'
import type { Print } from './stream-protocol.ts'
import { isTick, STREAM_FEED, tickOfPrint } from './tick-of-print.ts'

/** So many prints in one millisecond have numbers of their own; the numbers of the next ones run ahead of the clock. */
const PER_MS = 1_000

/**
 * Prints without numbers that could be trusted: numbered as they come. What is told while nobody listens is lost, and said
 * so; that goes for prices too, where a vendor tells those in place of prints.
 */
export class ArrivingPrints implements PrintBook {
  readonly #context: PrintBookContext
  readonly #symbols: ReadonlySet<string>
  #position: number
  /** When the newest print or price was received; -1: none has been, ever. */
  #receivedMs: number
  #taken: StreamCheckpoint
  #wasConnected = false

  constructor(context: PrintBookContext, from: StreamCheckpoint) {
    this.#context = context
    this.#symbols = new Set(context.protocol.symbols)
    this.#position = from.position
    this.#receivedMs = from.receivedMs
    this.#taken = { products: {}, position: from.position, receivedMs: from.receivedMs }
  }

  print(print: Print, frame: Buffer, receivedAtMs: number): void {
    if (!this.#symbols.has(print.symbol)) return
    const { outlet, name } = this.#context
    const position = Math.max(this.#position + 1, receivedAtMs * PER_MS)
    const told = tickOfPrint(print, { source: name, position }, receivedAtMs, {
      feed: STREAM_FEED,
      original: () => frame,
    })
    if (!isTick(told)) {
      outlet.reject(told)
      return
    }
    this.#position = position
    this.#receivedMs = receivedAtMs
    outlet.tick(told)
  }

  fact(fact: Fact, receivedAtMs: number): void {
    if (isPrice(fact)) this.#receivedMs = receivedAtMs
  }

  heartbeat(): void {
    // Without ids it says no more than that the connection lives, which the link knows.
  }

  connected(nowMs: number, awayMs: number): void {
    const missed = this.#wasConnected ? awayMs > 0 : true
    this.#wasConnected = true
    if (!missed || this.#receivedMs < 0) return
    const { outlet, name } = this.#context
    const [from, until] = [this.#receivedMs, nowMs].map((ms) => new Date(ms).toISOString())
    const detail = `What ${name} printed between ${from} and ${until} while it was not connected cannot be had`
    outlet.fact(gapFact({ source: name, symbol: null, fromMs: this.#receivedMs, foundAtMs: nowMs, detail }))
  }

  tick(): void {
    // Nothing of it depends on time.
  }

  taken({ ticks, facts }: Waiting): void {
    const last = ticks.at(-1)
    const position = last?.position ?? this.#taken.position
    const heardMs = [last?.ingestTimeMs, facts.findLast(isPrice)?.event.ingestTimeMs].filter((ms) => ms !== undefined)
    this.#taken = { products: {}, position, receivedMs: Math.max(this.#taken.receivedMs, ...heardMs) }
  }

  checkpoint(): StreamCheckpoint {
    return this.#taken
  }

  async ended(): Promise<void> {
    // Nothing runs beside it.
  }
}

const isPrice = ({ topic }: Fact): boolean => topic === 'stock-quotes'
