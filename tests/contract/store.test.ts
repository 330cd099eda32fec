import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BAR_INTERVAL_MS, type Bar } from '../../domain/bar.ts'
import type { Instrument } from '../../domain/instrument.ts'
import { partitionOf } from '../../platform/bus/partition.ts'
import { Bars } from '../../platform/store/bars.ts'
import type { Database } from '../../platform/store/database.ts'
import { Instruments } from '../../platform/store/instruments.ts'
import { Quotes } from '../../platform/store/quotes.ts'
import { SourceCheckpoints } from '../../platform/store/source-checkpoints.ts'
import { Ticks } from '../../platform/store/ticks.ts'
import { testDatabase } from '../support/database.ts'

const at = (text: string) => Date.parse(`${text}Z`)
const DAY = at('2013-10-07T00:00')

let database: Database

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE instruments, stock_data, quotes, bars_1m, stream_checkpoint, source_checkpoint RESTART IDENTITY',
  )
})

const apple: Instrument = {
  symbol: 'AAPL',
  name: 'Apple Inc.',
  exchange: 'XNAS',
  currency: 'USD',
  assetClass: 'EQUITY',
}
const named = (symbol: string, name: string): Instrument => ({ ...apple, symbol, name })

describe('Instruments', () => {
  const listed = [
    apple,
    named('APPL', 'Appliance Recycling'),
    named('BAC', 'Bank of America'),
    named('JPM', 'JPMorgan Chase & Co.'),
    named('MS', 'Morgan Stanley'),
    named('PCT', 'Profit 50% Trust'),
  ]

  test('what was added is found by symbol, and unknown symbols are left out', async () => {
    const instruments = new Instruments(database)
    await instruments.add([apple])
    expect(await instruments.find(['AAPL', 'NOPE'])).toEqual(new Map([['AAPL', apple]]))
  })

  test('adding a known instrument describes it anew', async () => {
    const instruments = new Instruments(database)
    await instruments.add([apple, named('AAPL', 'first'), named('AAPL', 'last')])
    await instruments.add([named('AAPL', 'Apple Computer')])
    expect((await instruments.find(['AAPL'])).get('AAPL')?.name).toBe('Apple Computer')
  })

  test('more than one statement holds can be added at once', async () => {
    const instruments = new Instruments(database)
    const many = Array.from({ length: 5_001 }, (_, i) => named(`S${i}`, `Number ${i}`))
    await instruments.add(many)
    expect((await instruments.find(['S0', 'S5000'])).size).toBe(2)
  })

  test('pages follow each other in order of symbol, without gap or repetition', async () => {
    const instruments = new Instruments(database)
    await instruments.add([...listed].reverse())
    const seen: string[] = []
    for (let after: string | undefined, more = true; more; ) {
      const page = await instruments.page({ first: 4, ...(after && { after }) })
      seen.push(...page.items.map(({ symbol }) => symbol))
      after = seen.at(-1)
      more = page.hasNext
    }
    expect(seen).toEqual(['AAPL', 'APPL', 'BAC', 'JPM', 'MS', 'PCT'])
  })

  test('the last page says that there is none after it, also when it is full', async () => {
    const instruments = new Instruments(database)
    await instruments.add(listed)
    expect((await instruments.page({ first: 5 })).hasNext).toBe(true)
    expect((await instruments.page({ first: 6 })).hasNext).toBe(false)
  })

  test('a page can be limited to some symbols', async () => {
    const instruments = new Instruments(database)
    await instruments.add(listed)
    const { items } = await instruments.page({ symbols: ['MS', 'BAC', 'NOPE'], first: 10 })
    expect(items.map(({ symbol }) => symbol)).toEqual(['BAC', 'MS'])
  })

  test('a page without bounds is refused', async () => {
    await expect(new Instruments(database).page({ first: 1_000_000 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  const found = async (text: string, first = 10) => {
    const instruments = new Instruments(database)
    await instruments.add(listed)
    return (await instruments.search(text, first)).map(({ symbol }) => symbol)
  }

  test('a search finds symbols by how they begin, before names', async () => {
    expect(await found('ap')).toEqual(['APPL', 'AAPL'])
  })
  test('a search finds the very symbol first', async () => {
    expect((await found('ms'))[0]).toBe('MS')
  })
  test('a search finds names by how their words begin, then by what they contain', async () => {
    expect(await found('morgan')).toEqual(['MS', 'JPM'])
  })
  test('every word of a search must be found', async () => {
    expect(await found('america BANK')).toEqual(['BAC'])
  })
  test('wildcards in a search are only characters', async () => {
    expect(await found('%')).toEqual(['PCT'])
    expect(await found('_')).toEqual([])
    expect(await found('\\')).toEqual([])
  })
  test('an empty search finds nothing', async () => {
    expect(await found('  ')).toEqual([])
  })
  test('a search gives no more than was asked for', async () => {
    expect(await found('a', 2)).toHaveLength(2)
  })
  test('an endless search text is refused', async () => {
    await expect(found('x'.repeat(101))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

async function storeBars(symbol: string, bars: [startMs: number, close: number][]): Promise<void> {
  await database.pool.query(
    `INSERT INTO bars_1m SELECT $1, to_timestamp(start / 1000), close - 1, close + 2, close - 2, close, 10, 3
     FROM unnest($2::float8[], $3::float8[]) AS bar(start, close)`,
    [symbol, bars.map(([startMs]) => startMs), bars.map(([, close]) => close)],
  )
}

describe('Quotes', () => {
  const store = (symbol: string, timeMs: number) =>
    database.pool.query('INSERT INTO quotes VALUES ($1, to_timestamp($2::float8 / 1000), 7, 190.25, 100)', [
      symbol,
      timeMs,
    ])

  test('a quote is the stored price to the millisecond', async () => {
    await store('AAPL', DAY + 1)
    expect(await new Quotes(database).find(['AAPL', 'NOPE'])).toEqual(
      new Map([['AAPL', { symbol: 'AAPL', price: 190.25, size: 100, eventTimeMs: DAY + 1, seq: 7 }]]),
    )
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
  const watermark = (symbol: string, sources: Record<string, number>) =>
    database.pool.query(
      `INSERT INTO stream_checkpoint (app, topic, part, next_offset, sources) VALUES ('bars', 'stock-data', $1, 1, $2)`,
      [
        partitionOf(symbol, 12),
        JSON.stringify(
          Object.fromEntries(Object.entries(sources).map(([name, ms]) => [name, { position: 1, watermark: ms }])),
        ),
      ],
    )
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
        closed: false,
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

  test('a bar is closed when the event time of any source has reached its end', async () => {
    await storeBars('AAPL', [
      [nine, 190],
      [nine + 60_000, 191],
    ])
    await watermark('AAPL', { slow: nine, fast: nine + 60_000 })
    const { items } = await new Bars(database).page({ ...whole, interval: '1m' })
    expect(items.map(({ closed }) => closed)).toEqual([true, false])
  })

  test('the hour stays open while only its minutes are closed', async () => {
    await storeBars('AAPL', [[nine, 190]])
    await watermark('AAPL', { tape: nine + 59 * 60_000 })
    expect((await new Bars(database).page({ ...whole, interval: '1h' })).items[0].closed).toBe(false)
    expect((await new Bars(database).page({ ...whole, interval: '5m' })).items[0].closed).toBe(true)
  })

  test('event time in another partition closes nothing here', async () => {
    const other = ['MSFT', 'IBM', 'SPY'].find((symbol) => partitionOf(symbol, 12) !== partitionOf('AAPL', 12))
    await storeBars('AAPL', [[nine, 190]])
    await watermark(String(other), { tape: nine + 86_400_000 })
    expect((await new Bars(database).page({ ...whole, interval: '1m' })).items[0].closed).toBe(false)
  })
})

describe('Ticks', () => {
  test('ticks come back in order of event time, then seq, within the range', async () => {
    const rows = [
      [DAY + 2, 9, 103],
      [DAY + 2, 3, 102],
      [DAY + 1, 5, 101],
      [DAY + 3, 1, 104],
    ]
    for (const [timeMs, seq, price] of rows)
      await database.pool.query(
        `INSERT INTO stock_data VALUES ('AAPL', to_timestamp($1::float8 / 1000), $2, 'tape', $3, 10, to_timestamp(5))`,
        [timeMs, seq, price],
      )
    const ticks = new Ticks(database)
    const found = await ticks.find({ symbol: 'AAPL', fromMs: DAY + 1, toMs: DAY + 3, first: 10 })
    expect(found.map(({ price }) => price)).toEqual([101, 102, 103])
    expect(found[0]).toEqual({
      symbol: 'AAPL',
      price: 101,
      size: 10,
      eventTimeMs: DAY + 1,
      ingestTimeMs: 5_000,
      seq: 5,
      source: 'tape',
      position: -1,
    })
    expect([await ticks.count('tape'), await ticks.count('other')]).toEqual([4, 0])
  })
})

describe('SourceCheckpoints', () => {
  test('a source that was never read has none', async () => {
    expect(await new SourceCheckpoints(database).load('tape')).toBeUndefined()
  })

  test('the last one saved is the one loaded', async () => {
    const checkpoints = new SourceCheckpoints(database)
    await checkpoints.save('tape', { row: 1 })
    await checkpoints.save('tape', { row: 2, finished: false, nested: [1, 'two', null] })
    expect(await checkpoints.load('tape')).toEqual({ row: 2, finished: false, nested: [1, 'two', null] })
  })

  test('a second reader of a source is told that there is one', async () => {
    const checkpoints = new SourceCheckpoints(database)
    await using _first = await checkpoints.lock('tape')
    await using _other = await checkpoints.lock('another tape')
    await expect(checkpoints.lock('tape', 200)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('tape is being read by another process'),
    })
  })

  test('a reader that ends makes room for the next, also one that is waiting', async () => {
    const checkpoints = new SourceCheckpoints(database)
    const first = await checkpoints.lock('tape')
    const second = checkpoints.lock('tape')
    await first[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
  })
})
