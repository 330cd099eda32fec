import { describe, expect, test } from 'vitest'
import { historicalPrint, opened, printed, START_MS, unreadable } from '../../tests/support/timed-book.ts'
import { VendorError } from '../vendor-error.ts'
import { STREAM_BOUNDS } from './bounds.ts'
import type { TimedHistory } from './stream-protocol.ts'

const QUIET_MS = STREAM_BOUNDS.quietMs

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
    const history: TimedHistory = {
      symbolsAtOnce: 1,
      async *prints([symbol]) {
        most = Math.max(most, ++underWay)
        await clock.sleep(200)
        underWay--
        yield {
          prints: [historicalPrint(printed('b', 100, symbol)), historicalPrint(printed('c', 200, symbol))],
          rejects: [],
        }
      },
    }
    const { clock, hear, take, cut, pass, gaps } = opened({ symbols, history })
    hear(...symbols.map((symbol) => printed('a', 5, symbol)))
    cut()
    hear(...symbols.map((symbol) => printed('c', 200, symbol)))
    await pass(10_000)
    expect(take()).toHaveLength(3 * symbols.length)
    expect(most).toBe(STREAM_BOUNDS.fillsMax)
    expect(gaps).toEqual([])
  })

  test('is a GAP at once where the vendor does not give it to us, and what follows goes on', async () => {
    const history = unreadable(new VendorError('VENDOR_REFUSED', 'not in your plan'))
    const { hear, take, cut, pass, gaps } = opened({ history })
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
    const history = unreadable(new VendorError('VENDOR_UNAVAILABLE', 'is away'), () => asked++)
    const { hear, take, cut, pass, gaps } = opened({ history })
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
      history: {
        symbolsAtOnce: 1,
        async *prints() {
          yield {
            prints: [{ ...historicalPrint(printed('b', 100)), price: -3 }, historicalPrint(printed('d', 300))],
            rejects: [],
          }
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
