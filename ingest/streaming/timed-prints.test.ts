import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Tick } from '../../domain/tick.ts'
import { ManualClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import type { Reject } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import { STREAM_BOUNDS, type StreamBounds } from './bounds.ts'
import type { StreamCheckpoint } from './checkpoint.ts'
import { Outlet } from './outlet.ts'
import type { PastPrint, StreamProtocol, TradePast } from './stream-protocol.ts'
import { TimedPrints } from './timed-prints.ts'

const START_MS = Date.parse('2026-11-20T15:00:00Z')
const NOTHING: StreamCheckpoint = { products: {}, position: -1, receivedMs: -1 }
const QUIET_MS = STREAM_BOUNDS.quietMs

interface Printed {
  readonly symbol: string
  readonly key: string
  readonly eventTimeMs: number
}
const printed = (key: string, afterMs: number, symbol = 'AAPL'): Printed => ({
  symbol,
  key,
  eventTimeMs: START_MS + afterMs,
})

/** `n7` is told at 107, so that it is known again. */
const priceOf = ({ key }: Printed) => 100 + (Number(key.slice(1)) || 0)

const pastPrint = (each: Printed): PastPrint => ({
  ...each,
  price: priceOf(each),
  size: 1,
  original: () => Buffer.from(`as the vendor wrote ${each.key}`),
})

interface Options {
  readonly from?: StreamCheckpoint
  readonly symbols?: readonly string[]
  readonly past?: TradePast
  readonly bounds?: Partial<StreamBounds>
  readonly unknown?: readonly string[]
}

/** A book as one reading of a source has it; `tape` is what the vendor has printed, oldest first. */
function opened({ from = NOTHING, symbols = ['AAPL'], past, bounds, unknown = [] }: Options = {}) {
  const clock = new ManualClock(START_MS)
  const metrics = openMetrics()
  const tape: Printed[] = []
  const asked: { readonly symbols: readonly string[]; readonly fromMs: number }[] = []
  const ofTape: TradePast = {
    symbolsAtOnce: 10,
    async *prints(wanted, fromMs) {
      asked.push({ symbols: wanted, fromMs })
      const found = tape.filter(({ symbol, eventTimeMs }) => wanted.includes(symbol) && eventTimeMs >= fromMs)
      yield { prints: found.map(pastPrint), rejects: [] }
    },
  }
  const outlet = new Outlet(STREAM_BOUNDS, () => undefined)
  const stop = new AbortController()
  const failures: unknown[] = []
  const protocol = { symbols, past: past ?? ofTape } as unknown as StreamProtocol
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

describe('Prints with names and times', () => {
  test('are numbered by their millisecond and their place in it, symbol by symbol', () => {
    const { hear, take, told } = opened({ symbols: ['AAPL', 'MSFT'] })
    hear(printed('a', 5), printed('b', 5), printed('c', 6), printed('a', 5, 'MSFT'))
    take()
    const ms = (START_MS + 5) * 1_000
    expect(told.map(({ source, position, seq }) => [source, position, seq])).toEqual([
      ['alpaca:AAPL', ms, ms],
      ['alpaca:AAPL', ms + 1, ms + 1],
      ['alpaca:AAPL', ms + 1_000, ms + 1_000],
      ['alpaca:MSFT', ms, ms],
    ])
  })

  test('that come late are told late, with the next number there is', () => {
    const { hear, take, told } = opened()
    hear(printed('b', 7), printed('a', 5))
    expect(take()).toEqual([7, 5])
    expect(told[1].position).toBe(told[0].position + 1)
  })

  test('that come twice are told once; the same name on another day is another print', async () => {
    const { hear, take, pass } = opened()
    const nextDayMs = 86_400_000
    hear(printed('a', 5), printed('a', 5))
    await pass(nextDayMs)
    hear(printed('a', nextDayMs))
    expect(take()).toEqual([5, nextDayMs])
  })

  test('are told as they come after a first connection', async () => {
    const { book, hear, take, asked, pass } = opened()
    book.connected(START_MS, 0)
    hear(printed('a', 5))
    expect(take()).toEqual([5])
    await pass(QUIET_MS)
    expect(asked).toEqual([])
  })
})

describe('What was printed while nobody listened', () => {
  test('is read from the past and told before what has been heard since, each once', async () => {
    const { hear, take, cut, tape, pass, gaps, metrics } = opened()
    hear(printed('a', 5))
    tape.push(printed('b', 100), printed('c', 200))
    cut()
    hear(printed('d', 300))
    expect(take()).toEqual([5])
    await pass(STREAM_BOUNDS.momentMs)
    expect(take()).toEqual([5, 100, 200, 300])
    hear(printed('e', 400))
    expect(take()).toEqual([5, 100, 200, 300, 400])
    expect(gaps).toEqual([])
    expect(await metrics.registry.metrics()).toContain('stream_backfilled_total{source="alpaca"} 3')
  })

  test('is asked for again until the past reaches what was heard', async () => {
    const { hear, take, cut, tape, pass, asked } = opened()
    hear(printed('a', 5))
    cut()
    hear(printed('d', 300))
    // It tells some seconds late.
    tape.length = 0
    await pass(2_000)
    expect(take()).toEqual([5])
    tape.push(printed('a', 5), printed('b', 100), printed('d', 300))
    await pass(10_000)
    expect(take()).toEqual([5, 100, 300])
    expect(asked.length).toBeLessThan(8)
  })

  test('is all there is, soon after the connection, of a symbol that prints nothing', async () => {
    const { hear, take, cut, tape, pass, asked } = opened()
    hear(printed('a', 5))
    tape.push(printed('b', 100))
    cut()
    await pass(2 * QUIET_MS)
    expect(take()).toEqual([5, 100])
    const { length } = asked
    await pass(10 * QUIET_MS)
    expect(asked).toHaveLength(length)
  })

  test('is read from a moment before the last print of all symbols, and of those that are known', async () => {
    const symbols = ['AAPL', 'GONE', 'MSFT']
    const { hear, cut, pass, asked } = opened({ symbols, unknown: ['GONE'] })
    hear(printed('a', 5), printed('b', 60_000, 'MSFT'))
    cut()
    await pass(1_000)
    expect(asked[0]).toEqual({ symbols: ['AAPL', 'MSFT'], fromMs: START_MS + 58_000 })
  })

  test('is told also where the connection is lost again meanwhile', async () => {
    const { hear, take, cut, tape, pass, gaps } = opened()
    hear(printed('a', 5))
    cut()
    hear(printed('b', 100))
    tape.push(printed('c', 200))
    cut()
    hear(printed('d', 300))
    await pass(1_000)
    expect(take()).toEqual([5, 100, 200, 300])
    expect(gaps).toEqual([])
  })

  test('is told also where the past of one symbol was read whole before the connection was lost again', async () => {
    const { hear, take, cut, tape, pass, gaps } = opened({ symbols: ['AAPL', 'MSFT'] })
    hear(printed('a', 0), printed('m', 0, 'MSFT'))
    cut()
    // What was heard of one proves that nothing is missing; of the other that takes its time.
    hear(printed('b', 100))
    await pass(QUIET_MS - 1_000)
    expect(take()).toEqual([0, 0, 100])
    // Nobody listens.
    tape.push(printed('c', QUIET_MS), printed('n', QUIET_MS + 4_000, 'MSFT'))
    await pass(2 * QUIET_MS)
    expect(take()).toEqual([0, 0, 100, QUIET_MS + 4_000])
    cut()
    await pass(3 * QUIET_MS)
    expect(take().toSorted((a, b) => a - b)).toEqual([0, 0, 100, QUIET_MS, QUIET_MS + 4_000])
    expect(gaps).toEqual([])
  })

  test('is told also where more was heard since than may wait', async () => {
    const { hear, take, cut, pass, metrics } = opened({ bounds: { heldMax: 3 } })
    hear(printed('a', 0))
    cut()
    const times = Array.from({ length: 10 }, (_, i) => 100 + i)
    hear(...times.map((ms) => printed(`n${ms}`, ms)))
    await pass(1_000)
    expect(take()).toEqual([0, ...times])
    expect(await metrics.registry.metrics()).toContain('stream_not_held_total{source="alpaca"} 9')
  })

  test('is asked for few symbols at a time, where each is a request of its own', async () => {
    let [underWay, most] = [0, 0]
    const symbols = Array.from({ length: 30 }, (_, i) => `S${i}`)
    const past: TradePast = {
      symbolsAtOnce: 1,
      async *prints([symbol]) {
        most = Math.max(most, ++underWay)
        await clock.sleep(200)
        underWay--
        yield { prints: [pastPrint(printed('b', 100, symbol)), pastPrint(printed('c', 200, symbol))], rejects: [] }
      },
    }
    const { clock, hear, take, cut, pass, gaps } = opened({ symbols, past })
    hear(...symbols.map((symbol) => printed('a', 5, symbol)))
    cut()
    hear(...symbols.map((symbol) => printed('c', 200, symbol)))
    await pass(10_000)
    expect(take()).toHaveLength(3 * symbols.length)
    expect(most).toBe(STREAM_BOUNDS.fillsMax)
    expect(gaps).toEqual([])
  })

  test('is a GAP at once where the vendor does not give it to us, and what follows goes on', async () => {
    const past: TradePast = {
      symbolsAtOnce: 1,
      // biome-ignore lint/correctness/useYield: it has nothing to tell
      async *prints() {
        throw new VendorError('VENDOR_REFUSED', 'not in your plan')
      },
    }
    const { hear, take, cut, pass, gaps } = opened({ past })
    hear(printed('a', 5))
    cut()
    hear(printed('d', 300))
    await pass(STREAM_BOUNDS.momentMs)
    expect(take()).toEqual([5, 300])
    expect(gaps).toEqual([
      'What was printed of AAPL between 2026-11-20T15:00:00.005Z and 2026-11-20T15:00:00.300Z could not be had: not in your plan',
    ])
  })

  test('is a GAP where the past cannot be read for longer than prints may wait', async () => {
    let asked = 0
    const past: TradePast = {
      symbolsAtOnce: 1,
      // biome-ignore lint/correctness/useYield: it has nothing to tell
      async *prints() {
        asked++
        throw new VendorError('VENDOR_UNAVAILABLE', 'is away')
      },
    }
    const { hear, take, cut, pass, gaps } = opened({ past })
    hear(printed('a', 5))
    cut()
    hear(printed('d', 300))
    await pass(STREAM_BOUNDS.holdMsMax / 2)
    expect(take()).toEqual([5])
    await pass(STREAM_BOUNDS.holdMsMax)
    expect(take()).toEqual([5, 300])
    expect(gaps).toEqual([expect.stringContaining('could not be had: is away')])
    expect(asked).toBeLessThan(12)
  })

  test('is put aside in the bytes of the vendor where it is no tick', async () => {
    const { hear, take, cut, pass, rejects } = opened({
      past: {
        symbolsAtOnce: 1,
        async *prints() {
          yield { prints: [{ ...pastPrint(printed('b', 100)), price: -3 }, pastPrint(printed('d', 300))], rejects: [] }
        },
      },
    })
    hear(printed('a', 5))
    cut()
    hear(printed('d', 300))
    await pass(1_000)
    expect(take()).toEqual([5, 300])
    expect(rejects).toMatchObject([{ feed: 'history', original: Buffer.from('as the vendor wrote b') }])
  })
})

/** A tape of two symbols, with several prints in a millisecond now and then. */
const tapes = fc
  .array(fc.record({ symbol: fc.constantFrom('AAPL', 'MSFT'), stepMs: fc.constantFrom(0, 0, 1, 40, 700) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let afterMs = 0
    return steps.map(({ symbol, stepMs }, i) => {
      afterMs += stepMs
      return printed(`n${i}`, afterMs, symbol)
    })
  })

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ print: fc.constantFrom('AAPL', 'MSFT', 'TSLA') }) },
    { weight: 3, arbitrary: fc.record({ passMs: fc.constantFrom(1, 300, 2_000, 9_000, 40_000) }) },
    { weight: 2, arbitrary: fc.constant('down' as const) },
    { weight: 2, arbitrary: fc.constant('up' as const) },
  ),
  { maxLength: 80 },
)

test('However often the connection is lost, each print is told once, also where history is some seconds late', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 1_000, 3_000), async (steps, lateMs) => {
      const symbols = ['AAPL', 'MSFT', 'TSLA']
      const tape: Printed[] = []
      const past: TradePast = {
        symbolsAtOnce: 2,
        async *prints(wanted, fromMs) {
          const isThere = ({ symbol, eventTimeMs }: Printed) =>
            wanted.includes(symbol) && eventTimeMs >= fromMs && eventTimeMs <= clock.now() - lateMs
          yield { prints: tape.filter(isThere).map(pastPrint), rejects: [] }
        },
      }
      const { clock, book, hear, pass, take, told, gaps, end } = opened({ symbols, past })
      let isUp = true
      book.connected(clock.now(), 0)
      const print = (symbol: string) => {
        const each = printed(`n${tape.length}`, clock.now() - START_MS, symbol)
        tape.push(each)
        if (isUp) hear(each)
      }
      // What is missed before anything was heard is none of ours.
      print('AAPL')
      for (const step of [...steps, 'up' as const, { passMs: 100_000 }]) {
        if (step === 'down') isUp = false
        else if (step === 'up') {
          if (!isUp) book.connected(clock.now(), 1)
          isUp = true
        } else if ('passMs' in step) await pass(step.passMs)
        else print(step.print)
      }
      take()
      await end()
      expect(told.map(({ price }) => price).toSorted()).toEqual(tape.map(priceOf).toSorted())
      for (const same of Map.groupBy(told, ({ source }) => source).values()) {
        const positions = same.map(({ position }) => position)
        expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b))
      }
      expect(gaps).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('Killed at any moment, another life gives every print the number that it had, and tells all of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      tapes,
      fc.array(fc.record({ heard: fc.nat(20), taken: fc.nat(20), missed: fc.nat(10) }), { minLength: 1, maxLength: 4 }),
      async (tape, lives) => {
        const symbols = ['AAPL', 'MSFT']
        const told: Tick[] = []
        let from = NOTHING
        let at = 0
        // Before the first checkpoint nobody knows that there was another life.
        const first = { ...lives[0], taken: lives[0].taken + 1 }
        const last = { heard: tape.length, taken: 0, missed: 0 }
        for (const { heard, taken, missed } of [first, ...lives.slice(1), last]) {
          const life = opened({ symbols, from })
          life.tape.push(...tape.slice(0, at))
          life.cut()
          life.hear(...tape.slice(at, at + taken))
          await life.pass(10 * QUIET_MS)
          life.take()
          // The checkpoint is here, and what comes now is produced without one.
          from = JSON.parse(JSON.stringify(life.book.checkpoint()))
          life.hear(...tape.slice(at + taken, at + taken + heard))
          life.take()
          told.push(...life.told)
          await life.end()
          at += taken + heard + missed
        }
        const byNumber = Map.groupBy(told, ({ source, position }) => `${source} ${position}`)
        for (const [number, same] of byNumber) expect(new Set(same.map(({ price }) => price)).size, number).toBe(1)
        const once = [...byNumber.values()].map(([{ symbol, price }]) => `${symbol} ${price}`)
        // Whatever was missed before a symbol was heard for the first time is none of ours.
        const owed = symbols.flatMap((symbol) => {
          const prices = new Set(told.filter((each) => each.symbol === symbol).map(({ price }) => price))
          const ofSymbol = tape.filter((each) => each.symbol === symbol)
          const first = ofSymbol.findIndex((each) => prices.has(priceOf(each)))
          return first < 0 ? [] : ofSymbol.slice(first)
        })
        expect(once.toSorted()).toEqual(owed.map((each) => `${each.symbol} ${priceOf(each)}`).toSorted())
      },
    ),
    { numRuns: 200 },
  )
})
