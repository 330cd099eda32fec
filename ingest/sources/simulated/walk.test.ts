import { describe, expect, test } from 'vitest'
import { tick } from '../../../domain/tick.ts'
import { SIMULATED_INSTRUMENTS } from './instruments.ts'
import { SESSION_MS } from './market-hours.ts'
import { type Print, Walk } from './walk.ts'

/** The start of a session, so that minutes below are minutes of it. */
const START_MS = Math.ceil(Date.UTC(2026, 0, 5) / SESSION_MS) * SESSION_MS

interface Trade extends Print {
  readonly timeMs: number
}

function trades(seed: number, perSecond: number, seconds: number): Trade[] {
  const walk = Walk.start(SIMULATED_INSTRUMENTS, 'always', seed, START_MS)
  return Array.from({ length: perSecond * seconds }, (_, i) => {
    const timeMs = START_MS + Math.floor((i * 1_000) / perSecond)
    const print = walk.step(timeMs)
    if (print === undefined) return expect.unreachable('always open')
    return { ...print, timeMs }
  })
}

/** Three sessions: enough for the statistics below to hold for any seed we have seen. */
const sessions = trades(1, 20, (3 * SESSION_MS) / 1_000)
const bySymbol = Map.groupBy(sessions, (trade) => trade.symbol)
const of = (symbol: string) => bySymbol.get(symbol) ?? []

/** Change of the logarithm from one five-minute close to the next. */
function returnsOf(symbol: string): number[] {
  const closes = new Map(of(symbol).map(({ timeMs, price }) => [Math.floor(timeMs / 300_000), Math.log(price)]))
  const ordered = [...closes.values()]
  return ordered.slice(1).map((close, i) => close - ordered[i])
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))
function correlation(a: readonly number[], b: readonly number[]): number {
  const pairs = a.slice(0, b.length).map((value, i) => (value - mean(a)) * (b[i] - mean(b)))
  return mean(pairs) / (deviation(a) * deviation(b))
}

const INSTRUMENTS = SIMULATED_INSTRUMENTS.map(({ instrument }) => instrument)

describe('the simulated market', () => {
  test('plays instruments that our list describes, each once', () => {
    expect(INSTRUMENTS.filter(({ assetClass }) => assetClass === 'UNKNOWN')).toEqual([])
    expect(new Set(INSTRUMENTS.map(({ symbol }) => symbol)).size).toBe(37)
  })

  test('trades every instrument, the popular ones more', () => {
    for (const { symbol } of INSTRUMENTS) expect(of(symbol).length).toBeGreaterThan(1_000)
    expect(of('SPY').length).toBeGreaterThan(5 * of('IBM').length)
  })

  test('only has trades that are valid', () => {
    for (const [position, { timeMs, ...print }] of sessions.entries())
      tick({ ...print, eventTimeMs: timeMs, ingestTimeMs: timeMs, seq: position, source: 'test', position })
  })

  test('prices in cents, currencies in hundredths of a pip', () => {
    const decimalsOf = (symbol: string) =>
      Math.max(...of(symbol).map(({ price }) => `${price}`.split('.')[1]?.length ?? 0))
    expect([decimalsOf('AAPL'), decimalsOf('BTC-USD'), decimalsOf('EUR-USD')]).toEqual([2, 2, 5])
  })

  test('trades whole shares and parts of coins', () => {
    expect(of('AAPL').every(({ size }) => Number.isInteger(size) && size >= 1)).toBe(true)
    expect(of('BTC-USD').some(({ size }) => !Number.isInteger(size))).toBe(true)
  })

  test('moves shares together, those of a sector more', () => {
    const spy = returnsOf('SPY')
    expect(correlation(spy, returnsOf('QQQ'))).toBeGreaterThan(0.7)
    expect(correlation(spy, returnsOf('JPM'))).toBeGreaterThan(0.3)
    expect(correlation(returnsOf('XOM'), returnsOf('CVX'))).toBeGreaterThan(
      correlation(returnsOf('XOM'), returnsOf('KO')),
    )
    expect(correlation(returnsOf('BTC-USD'), returnsOf('ETH-USD'))).toBeGreaterThan(0.3)
  })

  test('moves coins more than shares, and shares more than the index', () => {
    expect(deviation(returnsOf('SOL-USD'))).toBeGreaterThan(1.5 * deviation(returnsOf('AAPL')))
    expect(deviation(returnsOf('TSLA'))).toBeGreaterThan(1.5 * deviation(returnsOf('SPY')))
  })

  test('moves by amounts that a market could', () => {
    const dayDeviation = deviation(returnsOf('SPY')) * Math.sqrt(78)
    expect(dayDeviation).toBeGreaterThan(0.003)
    expect(dayDeviation).toBeLessThan(0.03)
  })

  test('trades more at the bells than at noon', () => {
    const isShare = new Map(INSTRUMENTS.map(({ symbol, assetClass }) => [symbol, assetClass === 'EQUITY']))
    const volume = Array<number>(13).fill(0)
    for (const { symbol, timeMs, size } of sessions)
      if (isShare.get(symbol)) volume[Math.floor(((timeMs - START_MS) % SESSION_MS) / 1_800_000)] += size
    expect(volume[0]).toBeGreaterThan(1.8 * volume[6])
    expect(volume[12]).toBeGreaterThan(1.8 * volume[6])
  })

  test('jumps now and then, with larger trades for a while', () => {
    const jumps = INSTRUMENTS.flatMap(({ symbol, assetClass }) => {
      const own = of(symbol)
      return own.flatMap((trade, i) => {
        const isJump = assetClass === 'EQUITY' && i > 0 && Math.abs(Math.log(trade.price / own[i - 1].price)) > 0.01
        return isJump ? [{ after: own.slice(i, i + 10), before: own.slice(Math.max(0, i - 40), i) }] : []
      })
    })
    expect(jumps.length).toBeGreaterThan(3)
    expect(jumps.length).toBeLessThan(100)
    const sizes = (part: 'before' | 'after') => jumps.flatMap((jump) => jump[part].map(({ size }) => size))
    expect(mean(sizes('after'))).toBeGreaterThan(1.5 * mean(sizes('before')))
  })

  test('stays plausible for years', () => {
    const walk = Walk.start(SIMULATED_INSTRUMENTS, 'always', 7, START_MS)
    const startPrices = new Map(
      SIMULATED_INSTRUMENTS.map(({ instrument, startPrice }) => [instrument.symbol, startPrice]),
    )
    for (let minute = 0; minute < 100_000; minute++) {
      const print = walk.step(START_MS + minute * 600_000)
      if (print === undefined) return expect.unreachable('always open')
      const ratio = print.price / (startPrices.get(print.symbol) ?? Number.NaN)
      expect(ratio > 0.02 && ratio < 50, `${print.symbol} ${print.price}`).toBe(true)
    }
  })

  test('is the same for the same seed', () => {
    expect(trades(5, 10, 100)).toEqual(trades(5, 10, 100))
  })

  test('is another for another seed', () => {
    expect(trades(5, 10, 100)).not.toEqual(trades(6, 10, 100))
  })

  test('closes with the exchange, coins and currencies go on', () => {
    const sunday = Date.UTC(2026, 6, 5)
    const walk = Walk.start(SIMULATED_INSTRUMENTS, 'us', 1, sunday)
    const traded = new Set<string>()
    for (let i = 0; i < 5_000; i++) {
      const print = walk.step(sunday + i * 100)
      if (print) traded.add(print.symbol)
    }
    expect([...traded].toSorted()).toEqual(['BTC-USD', 'ETH-USD', 'EUR-USD', 'SOL-USD'])
  })
})
