import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BAR_INTERVAL_MS, type Bar, type BarInterval, openBar } from '../../domain/bar.ts'
import { formatSymbolBars, type HeldBar, heldKey } from '../../domain/held-bars.ts'
import { partitionOf } from '../../platform/bus/partition.ts'
import { Bars } from '../../platform/store/bars.ts'
import type { Database } from '../../platform/store/database.ts'
import { upsertHistoricalBars } from '../../platform/store/historical-bars.ts'
import { QuoteSnapshots, upsertSnapshots } from '../../platform/store/quote-snapshots.ts'
import { Quotes } from '../../platform/store/quotes.ts'
import { testDatabase } from '../support/database.ts'
import { aHistoricalBar, aSnapshot } from '../support/facts.ts'

const at = (text: string) => Date.parse(`${text}Z`)
const DAY = at('2013-10-07T00:00')
const NEXT_DAY = at('2013-10-08T00:00')

let database: Database

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE quotes, quote_snapshots, bars_1m, historical_bars, stream_checkpoint, keyed_state RESTART IDENTITY',
  )
})

async function storeBars(symbol: string, bars: [startMs: number, close: number][]): Promise<void> {
  await database.pool.query(
    `INSERT INTO bars_1m SELECT $1, to_timestamp(start / 1000), close - 1, close + 2, close - 2, close, 10, 3
     FROM unnest($2::float8[], $3::float8[]) AS bar(start, close)`,
    [symbol, bars.map(([startMs]) => startMs), bars.map(([, close]) => close)],
  )
}

describe('Quotes', () => {
  const store = (symbol: string, timeMs: number, source = 'coinbase:X') =>
    database.pool.query(
      `INSERT INTO quotes (symbol, time, seq, price, size, source)
       VALUES ($1, to_timestamp($2::float8 / 1000), 7, 190.25, 100, $3)`,
      [symbol, timeMs, source],
    )
  const told = { eventTimeMs: DAY + 3_600_000, ingestTimeMs: DAY + 3_600_000 }

  test('a quote is the stored price to the millisecond', async () => {
    await store('AAPL', DAY + 1)
    expect(await new Quotes(database).find(['AAPL', 'NOPE'])).toEqual(
      new Map([
        [
          'AAPL',
          {
            symbol: 'AAPL',
            price: 190.25,
            size: 100,
            eventTimeMs: DAY + 1,
            seq: 7,
            source: 'coinbase:X',
            licence: 'PERSONAL',
            delayed: false,
          },
        ],
      ]),
    )
  })

  test('a quote of a source that nobody knows is for own use', async () => {
    await store('AAPL', DAY, '')
    expect((await new Quotes(database).find(['AAPL'])).get('AAPL')).toMatchObject({ source: '', licence: 'PERSONAL' })
  })

  test('where nothing was traded, the newest of what vendors tell is the quote', async () => {
    await upsertSnapshots(database.pool, [
      aSnapshot(told),
      aSnapshot({ ...told, source: 'finnhub', price: 232, eventTimeMs: told.eventTimeMs - 1 }),
    ])
    expect(await new Quotes(database).find(['AAPL', 'AAPL', 'NOPE'])).toEqual(
      new Map([
        [
          'AAPL',
          {
            symbol: 'AAPL',
            price: 231.5,
            size: 0,
            eventTimeMs: told.eventTimeMs,
            seq: 0,
            source: 'alpha-vantage',
            licence: 'PERSONAL',
            delayed: true,
            previousClose: 229,
          },
        ],
      ]),
    )
  })

  test('the newer of our own ticks and what vendors tell is the quote, and of one moment our own', async () => {
    const price = async () => (await new Quotes(database).find(['AAPL'])).get('AAPL')?.price
    await store('AAPL', DAY + 5)
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 4 })])
    expect(await price()).toBe(190.25)
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 5 })])
    expect(await price()).toBe(190.25)
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 6 })])
    expect(await price()).toBe(231.5)
  })

  test('the previous close is what a vendor tells of the day of the quote only where no bar gives one', async () => {
    const previousClose = async () => (await new Quotes(database).find(['AAPL'])).get('AAPL')?.previousClose
    await store('AAPL', DAY + 5)
    await upsertSnapshots(database.pool, [
      aSnapshot({ ...told, source: 'finnhub', eventTimeMs: DAY - 1, previousClose: 200 }),
    ])
    expect(await previousClose()).toBeUndefined()
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 1, previousClose: 229 })])
    expect(await previousClose()).toBe(229)
    await storeBars('AAPL', [[DAY - 60_000, 181]])
    expect(await previousClose()).toBe(181)
  })

  test('a price without a previous close keeps the close told earlier that day, and not that of another day', async () => {
    const previousClose = async () => (await new QuoteSnapshots(database).find(['AAPL'])).get('AAPL')?.[0].previousClose
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 1, previousClose: 229 })])
    await upsertSnapshots(database.pool, [aSnapshot({ ...told, eventTimeMs: DAY + 2, previousClose: null })])
    expect(await previousClose()).toBe(229)
    await upsertSnapshots(database.pool, [
      aSnapshot({ ...told, ingestTimeMs: NEXT_DAY, eventTimeMs: NEXT_DAY, previousClose: null }),
    ])
    expect(await previousClose()).toBeNull()
  })

  test('the previous close is of the last bar before the UTC day of the quote', async () => {
    await store('AAPL', DAY + 3_600_000)
    await storeBars('AAPL', [
      [DAY - 120_000, 180],
      [DAY - 60_000, 181],
      [DAY, 190],
    ])
    await storeBars('MSFT', [[DAY - 60_000, 33]])
    expect((await new Quotes(database).find(['AAPL'])).get('AAPL')?.previousClose).toBe(181)
  })

  test('a close from seven days back still counts, an older one does not', async () => {
    const sevenDaysMs = 7 * BAR_INTERVAL_MS['1d']
    for (const symbol of ['SEVEN', 'OLDER']) await store(symbol, DAY + 5)
    await storeBars('SEVEN', [[DAY - sevenDaysMs, 5]])
    await storeBars('OLDER', [[DAY - sevenDaysMs - 60_000, 5]])
    const quotes = await new Quotes(database).find(['SEVEN', 'OLDER'])
    expect(quotes.get('SEVEN')?.previousClose).toBe(5)
    expect(quotes.get('OLDER')).not.toHaveProperty('previousClose')
  })
})

describe('Bars', () => {
  const nine = at('2013-10-07T09:00')
  /** As the `bars` processor leaves it in the transaction of the bars. */
  async function hold(symbol: string, bars: { interval: BarInterval; startMs: number; closed: boolean }[]) {
    const held = bars.map(({ interval, startMs, closed }): [number, HeldBar] => {
      const bar = openBar({ symbol, price: 190, size: 1, eventTimeMs: startMs, seq: 1 }, interval)
      return [heldKey(startMs, interval), { bar: { ...bar, closed }, sources: ['tape'] }]
    })
    await database.pool.query(
      `INSERT INTO keyed_state (app, topic, part, key, value) VALUES ('bars', 'stock-data', $1, $2, $3)`,
      [partitionOf(symbol, 12), symbol, formatSymbolBars({ newestStartMs: nine, held: new Map(held) })],
    )
  }
  const whole = { symbol: 'AAPL', fromMs: DAY, toMs: DAY + BAR_INTERVAL_MS['1d'], first: 100 } as const

  test('a bar comes back as it was stored', async () => {
    await storeBars('AAPL', [[nine, 190]])
    const { items } = await new Bars(database).page({ ...whole, interval: '1m' })
    expect(items).toEqual<Bar[]>([
      {
        symbol: 'AAPL',
        interval: '1m',
        startMs: nine,
        open: 189,
        high: 192,
        low: 188,
        close: 190,
        volume: 10,
        trades: 3,
        closed: true,
      },
    ])
  })

  test('longer intervals open with the first minute, close with the last, and sum', async () => {
    await storeBars('AAPL', [
      [nine + 240_000, 194],
      [nine, 190],
      [nine + 60_000, 200],
      [nine + 300_000, 150],
    ])
    const { items } = await new Bars(database).page({ ...whole, interval: '5m' })
    expect(items).toMatchObject([
      { startMs: nine, open: 189, high: 202, low: 188, close: 194, volume: 30, trades: 9 },
      { startMs: nine + 300_000, close: 150, trades: 3 },
    ])
    for (const interval of ['1h', '1d'] as const) {
      const bars = await new Bars(database).page({ ...whole, interval })
      expect(bars.items).toMatchObject([{ open: 189, high: 202, low: 148, close: 150, volume: 40, trades: 12 }])
    }
  })

  test('pages go from the oldest on, without gap or repetition, from the lower bound to below the upper', async () => {
    await storeBars(
      'AAPL',
      Array.from({ length: 8 }, (_, i) => [nine + i * 60_000, 100 + i]),
    )
    const range = { symbol: 'AAPL', interval: '1m', fromMs: nine + 60_000, toMs: nine + 7 * 60_000, first: 4 } as const
    const bars = new Bars(database)
    const one = await bars.page(range)
    const two = await bars.page({ ...range, afterMs: one.items.at(-1)?.startMs ?? 0 })
    expect([...one.items, ...two.items].map(({ close }) => close)).toEqual([101, 102, 103, 104, 105, 106])
    expect([one.hasNext, two.hasNext]).toEqual([true, false])
  })

  test('a bar is open exactly while the bars processor holds it open', async () => {
    await storeBars('AAPL', [
      [nine, 190],
      [nine + 60_000, 191],
      [nine + 120_000, 192],
    ])
    await hold('AAPL', [
      { interval: '1m', startMs: nine + 60_000, closed: true },
      { interval: '1m', startMs: nine + 120_000, closed: false },
      { interval: '1h', startMs: nine, closed: false },
      { interval: '5m', startMs: nine, closed: true },
    ])
    const closed = async (interval: BarInterval) =>
      (await new Bars(database).page({ ...whole, interval })).items.map((bar) => bar.closed)
    expect(await closed('1m')).toEqual([true, true, false])
    expect(await closed('5m')).toEqual([true])
    expect(await closed('1h')).toEqual([false])
    expect(await closed('1d')).toEqual([true])
  })

  test('a bar of a tape is open while the tape is in it, however far the event time of other sources is', async () => {
    await storeBars('AAPL', [[nine, 190]])
    await hold('AAPL', [{ interval: '1m', startMs: nine, closed: false }])
    await database.pool.query(
      `INSERT INTO stream_checkpoint (app, topic, part, next_offset, sources) VALUES ('bars', 'stock-data', $1, 1, $2)`,
      [partitionOf('AAPL', 12), { today: { position: 1, watermark: Date.UTC(2026, 10, 20) } }],
    )
    expect((await new Bars(database).page({ ...whole, interval: '1m' })).items[0].closed).toBe(false)
  })

  test('what is held of another symbol opens nothing here', async () => {
    await storeBars('AAPL', [[nine, 190]])
    await hold('MSFT', [{ interval: '1m', startMs: nine, closed: false }])
    expect((await new Bars(database).page({ ...whole, interval: '1m' })).items[0].closed).toBe(true)
  })

  test('times without a bar of our own are filled by the bars of a vendor, which says so', async () => {
    await storeBars('AAPL', [[nine + 60_000, 190]])
    const told = { startMs: nine, ingestTimeMs: DAY + BAR_INTERVAL_MS['1d'] }
    await upsertHistoricalBars(database.pool, [
      aHistoricalBar({ ...told, trades: 12 }),
      aHistoricalBar({ ...told, startMs: nine + 60_000 }),
      aHistoricalBar({ ...told, startMs: nine + 120_000 }),
      aHistoricalBar({ ...told, interval: '1h' }),
      aHistoricalBar({ ...told, symbol: 'MSFT', startMs: nine + 180_000 }),
    ])
    const { items } = await new Bars(database).page({ ...whole, interval: '1m' })
    expect(items.map(({ startMs, source, licence, close }) => [startMs - nine, source, licence, close])).toEqual([
      [0, 'alpha-vantage', 'PERSONAL', 231],
      [60_000, undefined, undefined, 190],
      [120_000, 'alpha-vantage', 'PERSONAL', 231],
    ])
    expect(items[0]).toEqual({
      symbol: 'AAPL',
      interval: '1m',
      startMs: nine,
      open: 230,
      high: 232,
      low: 229,
      close: 231,
      volume: 1_000,
      trades: 12,
      closed: true,
      source: 'alpha-vantage',
      licence: 'PERSONAL',
    })
    // The vendor does not tell how many.
    expect(items[2].trades).toBe(0)
  })

  test('of several vendors the best is taken, the same one every time', async () => {
    const told = { startMs: nine, ingestTimeMs: DAY + BAR_INTERVAL_MS['1d'] }
    const best = async () => (await new Bars(database).page({ ...whole, interval: '1m' })).items[0]?.source
    for (const [source, expected] of [
      ['zoo', 'zoo'],
      ['ape', 'ape'],
      ['alpha-vantage', 'alpha-vantage'],
      ['coinbase:BTC-USD', 'coinbase:BTC-USD'],
      ['polygon', 'coinbase:BTC-USD'],
    ]) {
      await upsertHistoricalBars(database.pool, [aHistoricalBar({ ...told, source })])
      expect(await best()).toBe(expected)
    }
  })

  test('a vendor that tells a bar again is believed, unless it is what it told before', async () => {
    const told = { startMs: nine, ingestTimeMs: DAY + BAR_INTERVAL_MS['1d'] }
    const corrected = aHistoricalBar({ ...told, close: 231.5, ingestTimeMs: told.ingestTimeMs + 1 })
    await upsertHistoricalBars(database.pool, [aHistoricalBar(told), corrected, aHistoricalBar(told)])
    await upsertHistoricalBars(database.pool, [aHistoricalBar(told)])
    expect((await new Bars(database).page({ ...whole, interval: '1m' })).items).toMatchObject([{ close: 231.5 }])
  })

  test('pages over bars of our own and of vendors go on without gap or repetition', async () => {
    const starts = Array.from({ length: 12 }, (_, i) => nine + i * 60_000)
    await storeBars(
      'AAPL',
      starts.filter((_, i) => i % 3 === 0).map((startMs) => [startMs, 190]),
    )
    await upsertHistoricalBars(
      database.pool,
      starts
        .filter((_, i) => i % 2 === 0)
        .flatMap((startMs) =>
          ['polygon', 'finnhub'].map((source) =>
            aHistoricalBar({ startMs, source, ingestTimeMs: DAY + BAR_INTERVAL_MS['1d'] }),
          ),
        ),
    )
    const seen: [number, string | undefined][] = []
    for (let afterMs: number | undefined, more = true; more; ) {
      const page = await new Bars(database).page({
        ...whole,
        interval: '1m',
        first: 3,
        ...(afterMs !== undefined && { afterMs }),
      })
      seen.push(...page.items.map(({ startMs, source }): [number, string | undefined] => [startMs, source]))
      afterMs = page.items.at(-1)?.startMs
      more = page.hasNext
    }
    const expected = starts.flatMap((startMs, i): [number, string | undefined][] =>
      i % 3 === 0 ? [[startMs, undefined]] : i % 2 === 0 ? [[startMs, 'polygon']] : [],
    )
    expect(seen).toEqual(expected)
  })
})
