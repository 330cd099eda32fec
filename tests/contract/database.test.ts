import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPlatformError } from '../../domain/errors.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import type { Connection } from '../../platform/store/connection.ts'
import { copyInto, copyRows, TICK_COLUMNS } from '../../platform/store/copy.ts'
import { type Database, openDatabase } from '../../platform/store/database.ts'
import { Ticks } from '../../platform/store/ticks.ts'
import { testDatabase } from '../support/database.ts'

let database: Database

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

describe('Database', () => {
  const failure = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)
  const open = (url: string) => openDatabase({ url, log: silentLog })

  test('one pool serves plain SQL and Prisma alike', async () => {
    await database.prisma.instrument.create({ data: { symbol: 'AAPL', name: 'Apple Inc.' } })
    expect(await database.query('test_symbols', 'SELECT symbol FROM instruments')).toEqual([{ symbol: 'AAPL' }])
  })

  test('Prisma reads the views', async () => {
    const time = new Date('2013-10-07T00:00Z')
    await database.pool.query("INSERT INTO bars_1m VALUES ('AAPL', $1, 189, 192, 188, 190, 10, 3)", [time])
    const bar = await database.prisma.bar1d.findUnique({
      where: { symbol_time: { symbol: 'AAPL', time } },
    })
    expect(bar).toMatchObject({ close: 190, trades: 3n })
  })

  test('an address where nothing listens is STORE_UNAVAILABLE, with host and port and without the password', async () => {
    const error = await failure(open('postgresql://app:secret@127.0.0.1:9/prices'))
    expect(isPlatformError(error, 'STORE_UNAVAILABLE')).toBe(true)
    expect(String(error)).toContain('127.0.0.1:9/prices')
    expect(String(error)).not.toContain('secret')
  })

  test('a server that accepts and never answers is STORE_UNAVAILABLE within the limit', async () => {
    const silent = createServer(() => {})
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port } = silent.address() as AddressInfo
      await expect(open(`postgresql://app:secret@127.0.0.1:${port}/prices`)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      })
    } finally {
      silent.close()
    }
  })

  test('a wrong password and a missing database are INVALID_CONFIG', async () => {
    const wrong = new URL(database.url)
    wrong.password = 'wrong'
    const missing = new URL(database.url)
    missing.pathname = '/missing'
    for (const url of [wrong, missing])
      expect(await failure(open(url.href))).toMatchObject({ code: 'INVALID_CONFIG', retryable: false })
  })

  test('when connections are cut, calls fail clearly and the next ones work', async () => {
    await using other = await testDatabase()
    const client = await other.checkout()
    await database.pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      new URL(other.url).pathname.slice(1),
    ])
    await expect(client.query('SELECT 1')).rejects.toThrow()
    client.release(true)
    await expect.poll(() => other.ping().then(() => 'back')).toBe('back')
    expect(await other.query('test_again', 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a wrong statement stays the error that it is', async () => {
    expect(await failure(database.query('test_wrong', 'SELECT nonsense'))).toMatchObject({ code: '42703' })
  })

  test('a read that is not answered in time is given up, and its connection with it', async () => {
    await using impatient = await openDatabase({ url: database.url, log: silentLog, queryLimitMs: 200 })
    await expect(impatient.query('test_slow', 'SELECT pg_sleep(30)')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('test_slow'),
    })
    expect(impatient.pool.totalCount).toBe(0)
    await impatient.ping()
  })

  test('whoever has a connection of his own does not wait for ever for an answer, not even of COPY', async () => {
    await using impatient = await openDatabase({ url: database.url, log: silentLog, queryLimitMs: 100 })
    const holder = await database.checkout()
    await holder.query('BEGIN; LOCK TABLE stock_data')
    for (const statement of [
      (own: Connection) => own.query('SELECT FROM stock_data'),
      (own: Connection) => copyInto(own, `COPY stock_data (${TICK_COLUMNS}) FROM STDIN (FORMAT binary)`, copyRows([])),
    ]) {
      const own = await impatient.checkout()
      await expect(statement(own)).rejects.toThrow('Query read timeout')
      own.release(true)
    }
    holder.release(true)
    await impatient.ping()
  })

  test('when all connections are in use, the next caller waits for one, and is seen waiting', async () => {
    const metrics = openMetrics()
    await using small = await openDatabase({ url: database.url, log: silentLog, metrics, poolMax: 2 })
    const [first, second] = [await small.checkout(), await small.checkout()]
    const third = small.checkout()
    const waiting = { labels: { state: 'waiting' } }
    expect((await metrics.storeConnections.get()).values).toContainEqual({ ...waiting, value: 1 })
    second.release()
    const client = await third
    expect((await metrics.storeConnections.get()).values).toContainEqual({ ...waiting, value: 0 })
    client.release()
    first.release()
  })

  test('reads are measured by name', async () => {
    const metrics = openMetrics()
    await using measured = await openDatabase({ url: database.url, log: silentLog, metrics })
    await new Ticks(measured).count('tape')
    expect(await metrics.registry.metrics()).toContain('store_query_seconds_count{query="ticks_count"} 1')
  })
})
