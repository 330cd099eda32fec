import { type DataQualityKind, dataQuality } from '../../domain/data-quality.ts'
import { PlatformError } from '../../domain/errors.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { rejectOf } from '../reject-position.ts'
import type { Reject, Reparsed, Source, SourceBatch } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import { ArrivingPrints } from './arriving-prints.ts'
import { STREAM_BOUNDS, type StreamBounds, SYMBOLS_MAX } from './bounds.ts'
import { checkpointOf, type StreamCheckpoint } from './checkpoint.ts'
import type { MarketEvent } from './connection.ts'
import { Link } from './link.ts'
import { Outlet } from './outlet.ts'
import type { PrintBook } from './print-book.ts'
import type { StreamProtocol } from './stream-protocol.ts'
import { STREAM_FEED } from './tick-of-print.ts'
import { TimedPrints } from './timed-prints.ts'
import { TradedPrints } from './traded-prints.ts'

export type { StreamCheckpoint } from './checkpoint.ts'

const BOOKS = { 'trade-id': TradedPrints, time: TimedPrints, arrival: ArrivingPrints } as const

export interface StreamedOptions {
  readonly protocol: StreamProtocol
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly bounds?: Partial<StreamBounds>
  /** As in SourceContext, of this source. */
  readonly tellTrouble?: (trouble: string | undefined) => void
}

/**
 * A source that listens to a vendor's socket for as long as it is read. Whatever happens to the socket, it goes on; only a
 * key or a country that is refused ends it. Started from a checkpoint, it first has from history what was printed since,
 * as far as the venue tells, then goes on live: nothing is lost and nothing told twice, or a GAP says what is missing.
 * @throws INVALID_ARGUMENT where the protocol follows no symbol, or too many.
 */
export function streamedSource(options: StreamedOptions): Source<StreamCheckpoint> {
  const { protocol } = options
  const name = protocol.name ?? protocol.vendor
  const count = new Set(protocol.symbols).size
  if (count < 1 || count > SYMBOLS_MAX)
    throw new PlatformError('INVALID_ARGUMENT', `${name} must follow 1 to ${SYMBOLS_MAX} symbols, not ${count}`)
  return {
    name,
    read: (from, signal) => listen(name, options, checkpointOf(name, from), signal),
    reparse: (feed, original) => (feed === STREAM_FEED ? factsOf(options, original) : undefined),
  }
}

async function* listen(
  name: string,
  options: StreamedOptions,
  from: StreamCheckpoint,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch<StreamCheckpoint>> {
  if (signal.aborted) return
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const listening = new Listening(name, options, from, until)
  let failure: { readonly error: unknown } | undefined
  const running = listening.run().catch((error: unknown) => {
    failure = { error }
    stop.abort()
  })
  try {
    for (;;) {
      await listening.outlet.filled(until)
      if (signal.aborted) return
      // What was heard before it failed is still told.
      const told = listening.outlet.take()
      listening.book.taken(told)
      const { ticks, facts, rejects } = told
      if (ticks.length + facts.length + rejects.length > 0)
        yield { ticks, facts, rejects, checkpoint: listening.book.checkpoint() }
      else if (failure) throw failure.error
    }
  } finally {
    stop.abort()
    await running
  }
}

/**
 * Prints are not told again after those behind them: where the venue numbers them they were had from its history, or there
 * is a GAP that says so. Everything else is.
 */
function factsOf({ protocol, clock }: StreamedOptions, original: Buffer): Reparsed {
  const facts: Fact[] = []
  const rejects: Omit<Reject, 'feed'>[] = []
  for (const event of protocol.converse().read(original, clock.now()))
    if (event.kind === 'fact') facts.push(event.fact)
    else if (event.kind === 'reject') rejects.push(rejectOf(event.reason, event.original, STREAM_FEED))
    else if (event.kind === 'print')
      throw new VendorError('VENDOR_ANSWER', 'A print is not told again after those that came behind it')
  return { facts, rejects }
}

/** One reading of the source: the link, what its frames become, and the outlet that the reader empties. */
class Listening {
  readonly outlet: Outlet
  readonly book: PrintBook
  readonly #name: string
  readonly #options: StreamedOptions
  readonly #signal: AbortSignal
  readonly #link: Link
  readonly #failed = Promise.withResolvers<never>()
  readonly #unknown = new Set<string>()

  constructor(name: string, options: StreamedOptions, from: StreamCheckpoint, signal: AbortSignal) {
    this.#name = name
    this.#options = options
    this.#signal = signal
    const { protocol, metrics } = options
    const bounds = { ...STREAM_BOUNDS, ...options.bounds }
    this.outlet = new Outlet(bounds, (isFull) => {
      if (isFull) metrics.streamPauses.inc({ source: name })
      this.#link.pause(isFull)
    })
    const failed = this.#failed.reject
    const isUnknown = (symbol: string) => this.#unknown.has(symbol)
    const context = { ...options, name, bounds, outlet: this.outlet, signal, isUnknown, failed }
    this.book = new BOOKS[protocol.numbering](context, from)
    this.#link = new Link({ ...options, name, listener: this.#listener() })
  }

  /** Until it is stopped. @throws what ends the source. */
  async run(): Promise<void> {
    try {
      await Promise.race([this.#link.run(this.#signal), this.#failed.promise])
    } finally {
      await this.book.ended()
    }
  }

  #listener() {
    const { log } = this.#options
    const name = this.#name
    return {
      told: (event: MarketEvent, frame: Buffer, receivedAtMs: number) => this.#told(event, frame, receivedAtMs),
      garbled: (error: Error, frame: Buffer) => this.outlet.reject(rejectOf(error.message, frame, STREAM_FEED)),
      complained: (error: Error) =>
        log.warn({ source: name, err: error }, `${name} was told by its vendor: ${error.message}`),
      trouble: (sentence: string | undefined) => this.#options.tellTrouble?.(sentence),
      connected: (nowMs: number, awayMs: number) => this.book.connected(nowMs, awayMs),
      silent: ({ what, sinceMs, limitMs }: { what: string; sinceMs: number; limitMs: number }) =>
        this.#quality('SILENT_SOURCE', sinceMs, `${name} has told no ${what} for more than ${limitMs} ms`),
      recovered: (sinceMs: number, nowMs: number) =>
        this.#quality('SOURCE_RECOVERED', nowMs, `${name} is heard again after ${nowMs - sinceMs} ms`),
      tick: (nowMs: number) => this.book.tick(nowMs),
    }
  }

  #told(event: MarketEvent, frame: Buffer, receivedAtMs: number): void {
    switch (event.kind) {
      case 'print':
        this.book.print(event, frame, receivedAtMs)
        break
      case 'heartbeat':
        this.book.heartbeat(event, receivedAtMs)
        break
      case 'fact':
        this.book.fact(event.fact, receivedAtMs)
        this.outlet.fact(event.fact)
        break
      case 'reject':
        this.outlet.reject(rejectOf(event.reason, event.original, STREAM_FEED))
        break
      case 'unknown':
        this.#setAside(event.symbol, event.reason)
        break
    }
  }

  #setAside(symbol: string, reason: string): void {
    if (this.#unknown.has(symbol) || this.#unknown.size >= SYMBOLS_MAX) return
    this.#unknown.add(symbol)
    const { log } = this.#options
    log.warn({ source: this.#name, symbol }, `${this.#name} does not have ${symbol}: ${reason}`)
  }

  #quality(kind: DataQualityKind, eventTimeMs: number, detail: string): void {
    const event = dataQuality({
      kind,
      source: this.#name,
      symbol: null,
      eventTimeMs,
      ingestTimeMs: this.#options.clock.now(),
      detail,
    })
    this.outlet.fact({ topic: 'data-quality', event })
  }
}
