import { type BulkheadPolicy, bulkhead } from 'cockatiel'
import { rejectOf } from '../reject-position.ts'
import { VendorError } from '../vendor-error.ts'
import type { StreamCheckpoint } from './checkpoint.ts'
import { gapFact } from './gap-fact.ts'
import { HISTORY_FEED, isFinal } from './hole-filler.ts'
import type { Waiting } from './outlet.ts'
import type { PrintBook, PrintBookContext } from './print-book.ts'
import type { Print, TimedHistoryPrint } from './stream-protocol.ts'
import { isTick, type Provenance, STREAM_FEED, tickOfPrint } from './tick-of-print.ts'
import { type Held, TimedLine } from './timed-line.ts'

/** So many prints of a symbol in one millisecond have numbers of their own; those of the next ones run ahead of the clock. */
const PER_MS = 1_000
/** History is read again from so long before the last print: prints of two symbols need not come in the order of their times. */
const AGAIN_MS = 2_000
/** Of one reading of history; a vendor that never comes to an end has a GAP told. */
const PAGES_MAX = 200
/** Between two readings, at the most. */
const PAUSE_MS_MAX = 15_000

interface Told {
  readonly line: TimedLine
  readonly key: string
  readonly position: number
  readonly eventTimeMs: number
  readonly heardMs: number
}

/**
 * Prints that have names and times but no numbers without holes: each once, numbered by its millisecond and its place in it,
 * so that whoever reads them again, live or from history, gives them the same numbers. What was printed while nobody listened
 * is read from history by time, and what is printed meanwhile waits for it.
 */
export class TimedPrints implements PrintBook {
  readonly #context: PrintBookContext
  readonly #lines = new Map<string, TimedLine>()
  /** Symbols that history is asked for together. */
  readonly #groups: readonly (readonly TimedLine[])[]
  readonly #turns: BulkheadPolicy
  readonly #catchingUp = new Map<readonly TimedLine[], Promise<void>>()
  /** Told and not taken yet, oldest first. */
  readonly #untaken: Told[] = []
  /**
   * By the vendor's clock: of all that was printed until then nothing is missing. Only what is heard moves it on: that the past
   * of one symbol is told says nothing of the others. -1: nothing was heard, ever.
   */
  #heardMs: number
  #heardTakenMs: number
  #connectedMs = 0
  #wasConnected = false

  constructor(context: PrintBookContext, from: StreamCheckpoint) {
    this.#context = context
    this.#heardMs = this.#heardTakenMs = from.heardMs ?? -1
    const { protocol, name } = context
    for (const symbol of new Set(protocol.symbols)) {
      const last = Object.hasOwn(from.products, symbol) ? from.products[symbol] : undefined
      this.#lines.set(symbol, new TimedLine(symbol, `${name}:${symbol}`, last))
    }
    this.#groups = groupsOf([...this.#lines.values()], protocol.timedHistory?.symbolsAtOnce ?? 1)
    this.#turns = bulkhead(context.bounds.fillsMax, this.#groups.length)
  }

  print(print: Print, frame: Buffer, receivedAtMs: number): void {
    const line = this.#lines.get(print.symbol)
    if (line === undefined) return
    const key = keyOf(print)
    if (line.recent.has(key, print.eventTimeMs) || line.held?.has(key))
      this.#context.metrics.streamDuplicates.inc({ source: this.#context.name })
    else if (line.held) this.#hold(line, { print, frame, receivedAtMs })
    else this.#tell(line, print, receivedAtMs, { feed: STREAM_FEED, original: () => frame })
  }

  fact(): void {
    // Prints alone say how far it was heard.
  }

  heartbeat(): void {
    // It says no more than that the connection lives, which the link knows.
  }

  connected(nowMs: number, awayMs: number): void {
    const missed = this.#wasConnected ? awayMs > 0 : true
    this.#wasConnected = true
    if (!missed || this.#heardMs < 0) return
    this.#connectedMs = nowMs
    for (const group of this.#groups) {
      for (const line of group) if (!this.#context.isUnknown(line.symbol)) this.#wait(line)
      if (!this.#catchingUp.has(group)) this.#catchingUp.set(group, this.#catchUp(group).catch(this.#context.failed))
    }
  }

  tick(): void {
    this.#context.metrics.streamHeld.set({ source: this.#context.name }, this.#heldCount)
  }

  taken({ ticks }: Waiting): void {
    for (const { line, key, position, eventTimeMs, heardMs } of this.#untaken.splice(0, ticks.length)) {
      line.take(key, position, eventTimeMs)
      this.#heardTakenMs = heardMs
    }
  }

  checkpoint(): StreamCheckpoint {
    const products: StreamCheckpoint['products'] = {}
    for (const { symbol, taken } of this.#lines.values()) if (taken) products[symbol] = taken
    return { products, position: -1, receivedMs: -1, heardMs: this.#heardTakenMs }
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#catchingUp.values())
  }

  get #isBehind(): boolean {
    return this.#catchingUp.size > 0
  }

  get #heldCount(): number {
    let count = 0
    for (const { held } of this.#lines.values()) count += held?.size ?? 0
    return count
  }

  #wait(line: TimedLine): void {
    this.#context.metrics.streamNotHeld.inc({ source: this.#context.name }, line.wait())
  }

  #hold(line: TimedLine, each: Held): void {
    // History will tell of those that waited, and has to reach this one before anything goes on.
    if (this.#heldCount >= this.#context.bounds.heldMax) this.#wait(line)
    line.held?.set(keyOf(each.print), each)
  }

  #tell(line: TimedLine, print: Omit<Print, 'kind' | 'id'>, receivedAtMs: number, from: Provenance): void {
    const { outlet } = this.#context
    const position = Math.max(line.position + 1, print.eventTimeMs * PER_MS)
    const told = tickOfPrint(print, { source: line.source, position }, receivedAtMs, from)
    if (!isTick(told)) {
      outlet.reject(told)
      return
    }
    const { eventTimeMs } = told
    line.position = position
    line.newestMs = Math.max(line.newestMs, eventTimeMs)
    line.recent.add(keyOf(print), eventTimeMs)
    if (!this.#isBehind) this.#heardMs = eventTimeMs
    this.#untaken.push({ line, key: keyOf(print), position, eventTimeMs, heardMs: this.#heardMs })
    outlet.tick(told)
  }

  /** Until history has told of all that was printed up to what waits, or it is said that it cannot be had. */
  async #catchUp(group: readonly TimedLine[]): Promise<void> {
    const { clock, bounds, signal } = this.#context
    let pauseMs = bounds.momentMs
    let progressMs: number | undefined
    for (let behind = behindOf(group); behind.length > 0; behind = behindOf(group)) {
      await clock.sleep(pauseMs, signal)
      const read = await this.#inTurn(() => this.#readHistory(behind))
      if (read === undefined || signal.aborted) return
      const { begunMs, gained, error } = read
      const nowMs = clock.now()
      progressMs = gained > 0 ? nowMs : (progressMs ?? begunMs)
      // Of one that has printed nothing since, history knows all soon after the connection.
      const isQuiet = ({ held }: TimedLine) => held?.size === 0 && begunMs - this.#connectedMs >= bounds.quietMs
      if (error === undefined) for (const line of behind) if (line.isJoined || isQuiet(line)) this.#release(line)
      const sinceMs = Math.max(progressMs, this.#connectedMs)
      if (error?.isFinal || nowMs - sinceMs >= bounds.holdMsMax)
        for (const line of behindOf(group)) this.#giveUp(line, error?.reason ?? 'the history of its vendor lacks them')
      pauseMs = Math.max(
        Math.min(2 * pauseMs, PAUSE_MS_MAX),
        Math.min((error?.retryAtMs ?? 0) - nowMs, bounds.holdMsMax),
      )
    }
    this.#catchingUp.delete(group)
  }

  /** Few at a time; undefined: it was stopped before. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#context
    try {
      return await this.#turns.execute(work, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }

  async #readHistory(behind: readonly TimedLine[]): Promise<Reading> {
    const { protocol, outlet, signal, clock } = this.#context
    const begunMs = clock.now()
    if (protocol.timedHistory === undefined)
      return { begunMs, gained: 0, error: { reason: 'its vendor tells no history', isFinal: true } }
    const symbols = behind.map(({ symbol }) => symbol)
    let gained = 0
    let pages = 0
    try {
      for await (const { prints, rejects } of protocol.timedHistory.prints(symbols, this.#heardMs - AGAIN_MS, signal)) {
        await outlet.room(signal)
        if (signal.aborted) return { begunMs, gained }
        for (const reject of rejects) outlet.reject({ ...reject, feed: HISTORY_FEED })
        for (const print of prints) if (this.#fromHistory(print)) gained++
        if (++pages >= PAGES_MAX)
          return { begunMs, gained, error: { reason: `no more than ${PAGES_MAX} pages are fetched`, isFinal: true } }
      }
      return { begunMs, gained }
    } catch (error) {
      if (signal.aborted) return { begunMs, gained }
      if (!(error instanceof VendorError)) throw error
      if (error.code === 'VENDOR_ANSWER' && error.original !== undefined)
        outlet.reject(rejectOf(error.message, error.original, HISTORY_FEED))
      const { message: reason, retryAtMs } = error
      return { begunMs, gained, error: { reason, isFinal: isFinal(error), retryAtMs } }
    }
  }

  /** Whether it was new. */
  #fromHistory(print: TimedHistoryPrint): boolean {
    const line = this.#lines.get(print.symbol)
    if (line?.held === undefined) return false
    const key = keyOf(print)
    if (line.held.has(key)) line.isJoined = true
    if (line.recent.isBefore(print.eventTimeMs) || line.recent.has(key, print.eventTimeMs)) return false
    const { clock, metrics, name } = this.#context
    this.#tell(line, print, clock.now(), { feed: HISTORY_FEED, original: () => print.original() })
    metrics.streamBackfilled.inc({ source: name })
    return true
  }

  /** What waits and was not told by history comes behind it. */
  #release(line: TimedLine): void {
    const held = line.held ?? new Map()
    line.held = undefined
    for (const [key, { print, frame, receivedAtMs }] of held)
      if (!line.recent.has(key, print.eventTimeMs))
        this.#tell(line, print, receivedAtMs, { feed: STREAM_FEED, original: () => frame })
  }

  #giveUp(line: TimedLine, why: string): void {
    const { outlet, log, name, clock } = this.#context
    const nowMs = clock.now()
    const fromMs = Math.max(line.newestMs, this.#heardMs - AGAIN_MS)
    const [first] = line.held?.values() ?? []
    const [from, until] = [fromMs, first?.print.eventTimeMs ?? nowMs].map((ms) => new Date(ms).toISOString())
    const detail = `What was printed of ${line.symbol} between ${from} and ${until} could not be had: ${why}`
    log.warn({ source: name, symbol: line.symbol, from, until }, `${name} leaves a gap: ${detail}`)
    outlet.fact(gapFact({ source: line.source, symbol: line.symbol, fromMs, foundAtMs: nowMs, detail }))
    this.#release(line)
  }
}

interface Reading {
  readonly begunMs: number
  readonly gained: number
  readonly error?: ReadingFailure
}

interface ReadingFailure {
  readonly reason: string
  readonly isFinal: boolean
  readonly retryAtMs?: number | undefined
}

const behindOf = (group: readonly TimedLine[]) => group.filter(({ held }) => held !== undefined)

function groupsOf(lines: readonly TimedLine[], size: number): TimedLine[][] {
  const groups: TimedLine[][] = []
  for (let from = 0; from < lines.length; from += size) groups.push(lines.slice(from, from + size))
  return groups
}

function keyOf({ symbol, key }: Pick<Print, 'symbol' | 'key'>): string {
  if (key === undefined) throw new TypeError(`A print of ${symbol} has no name`)
  return key
}
