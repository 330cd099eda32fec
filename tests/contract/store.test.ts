import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../platform/store/database.ts'
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
  await database.pool.query('TRUNCATE stock_data, source_checkpoint RESTART IDENTITY')
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
