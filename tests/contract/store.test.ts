import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Instrument } from '../../domain/instrument.ts'
import type { Database } from '../../platform/store/database.ts'
import { Instruments } from '../../platform/store/instruments.ts'
import { SourceCheckpoints } from '../../platform/store/source-checkpoints.ts'
import { SourceLocks } from '../../platform/store/source-locks.ts'
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
  await database.pool.query('TRUNCATE instruments, stock_data, source_checkpoint RESTART IDENTITY')
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

  test('a second reader of a source is told that there is one, in this process and in another', async () => {
    const locks = new SourceLocks(database)
    await using _first = await locks.lock('tape')
    await using _other = await locks.lock('another tape')
    for (const others of [locks, new SourceLocks(database)])
      await expect(others.lock('tape', 200)).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        message: expect.stringContaining('tape is being read by another process'),
      })
  })

  test('a reader that ends makes room for the next, also one that is waiting', async () => {
    const first = await new SourceLocks(database).lock('tape')
    const second = new SourceLocks(database).lock('tape')
    await first[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
  })

  test('a reader of many sources holds one connection for all of them', async () => {
    const locks = new SourceLocks(database)
    const connections = () => database.pool.totalCount - database.pool.idleCount
    const before = connections()
    const held = await Promise.all(['a', 'b', 'c'].map((source) => locks.lock(source)))
    expect(connections()).toBe(before + 1)
    await held[0][Symbol.asyncDispose]()
    await expect(new SourceLocks(database).lock('b', 200)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await Promise.all(held.map((lock) => lock[Symbol.asyncDispose]()))
    expect(connections()).toBe(before)
  })
})
