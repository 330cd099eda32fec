import { expect } from 'vitest'
import type { Tick } from '../../domain/tick.ts'
import type { Reject } from '../../ingest/source.ts'
import { STREAM_BOUNDS, type StreamBounds } from '../../ingest/streaming/bounds.ts'
import type { StreamCheckpoint } from '../../ingest/streaming/checkpoint.ts'
import { Outlet } from '../../ingest/streaming/outlet.ts'
import type { StreamProtocol, TimedHistory, TimedHistoryPrint } from '../../ingest/streaming/stream-protocol.ts'
import { TimedPrints } from '../../ingest/streaming/timed-prints.ts'
import { ManualClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'

export const START_MS = Date.parse('2026-11-20T15:00:00Z')
export const NOTHING: StreamCheckpoint = { products: {}, position: -1, receivedMs: -1 }

export interface Printed {
  readonly symbol: string
  readonly key: string
  readonly eventTimeMs: number
}
export const printed = (key: string, afterMs: number, symbol = 'AAPL'): Printed => ({
  symbol,
  key,
  eventTimeMs: START_MS + afterMs,
})

/** `n7` is told at 107, so that it is known again. */
export const priceOf = ({ key }: Printed) => 100 + (Number(key.slice(1)) || 0)

export const historicalPrint = (each: Printed): TimedHistoryPrint => ({
  ...each,
  price: priceOf(each),
  size: 1,
  original: () => Buffer.from(`as the vendor wrote ${each.key}`),
})

/** A history that cannot be read; `asked` hears of every try. */
export const unreadable = (error: Error, asked: () => void = () => {}): TimedHistory => ({
  symbolsAtOnce: 1,
  prints: () => {
    asked()
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
  },
})

interface Options {
  readonly from?: StreamCheckpoint
  readonly symbols?: readonly string[]
  readonly history?: TimedHistory
  readonly bounds?: Partial<StreamBounds>
  readonly unknown?: readonly string[]
}

/** A book as one reading of a source has it; `tape` is what the vendor has printed, oldest first. */
export function opened({ from = NOTHING, symbols = ['AAPL'], history, bounds, unknown = [] }: Options = {}) {
  const clock = new ManualClock(START_MS)
  const metrics = openMetrics()
  const tape: Printed[] = []
  const asked: { readonly symbols: readonly string[]; readonly fromMs: number }[] = []
  const ofTape: TimedHistory = {
    symbolsAtOnce: 10,
    async *prints(wanted, fromMs) {
      asked.push({ symbols: wanted, fromMs })
      const found = tape.filter(({ symbol, eventTimeMs }) => wanted.includes(symbol) && eventTimeMs >= fromMs)
      yield { prints: found.map(historicalPrint), rejects: [] }
    },
  }
  const outlet = new Outlet(STREAM_BOUNDS, () => undefined)
  const stop = new AbortController()
  const failures: unknown[] = []
  const protocol = { symbols, timedHistory: history ?? ofTape } as unknown as StreamProtocol
  const book = new TimedPrints(
    {
      name: 'alpaca',
      protocol,
      outlet,
      bounds: { ...STREAM_BOUNDS, ...bounds },
      clock,
      log: silentLog,
      metrics,
      signal: stop.signal,
      isUnknown: (symbol) => unknown.includes(symbol),
      failed: (error) => failures.push(error),
    },
    from,
  )
  const told: Tick[] = []
  const gaps: string[] = []
  const rejects: Reject[] = []
  return {
    clock,
    metrics,
    tape,
    asked,
    told,
    gaps,
    rejects,
    book,
    /** The vendor prints these, and we hear them. */
    hear: (...prints: Printed[]) => {
      tape.push(...prints)
      for (const each of prints)
        book.print({ kind: 'print', id: 0, price: priceOf(each), size: 1, ...each }, Buffer.from('frame'), clock.now())
    },
    /** The connection was lost and is there again. */
    cut: (awayMs = 1) => book.connected(clock.now(), awayMs),
    pass: (ms: number) => clock.advance(ms),
    /** The reader takes what there is. */
    take: () => {
      const waiting = outlet.take()
      book.taken(waiting)
      told.push(...waiting.ticks)
      gaps.push(...waiting.facts.flatMap(({ topic, event }) => (topic === 'data-quality' ? [event.detail] : [])))
      rejects.push(...waiting.rejects)
      expect(failures).toEqual([])
      return told.map(({ eventTimeMs }) => eventTimeMs - START_MS)
    },
    end: async () => {
      stop.abort()
      await book.ended()
    },
  }
}
