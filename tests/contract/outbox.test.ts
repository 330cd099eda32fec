import { afterEach, beforeEach, expect, test } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import type { EventBus, OutgoingRecord } from '../../platform/bus/bus.ts'
import { systemClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import type { Database } from '../../platform/store/database.ts'
import { DeadLetters } from '../../platform/store/dead-letters.ts'
import { appendToOutbox, countOutbox, type OutboxEvent } from '../../platform/store/outbox.ts'
import { OutboxRelay, type OutboxRelayOptions } from '../../processors/outbox-relay.ts'
import { testDatabase } from '../support/database.ts'

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 10 })

/** Takes what it is given, unless it is told not to. */
class Shelf implements Pick<EventBus, 'produce' | 'settled'> {
  readonly taken: { topic: string; record: OutgoingRecord }[] = []
  away = false
  sizeMax = Number.POSITIVE_INFINITY
  calls = 0

  async produce(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    this.calls++
    if (this.away) throw new PlatformError('BUS_UNAVAILABLE', 'The bus is away')
    if (records.some(({ value }) => (value?.length ?? 0) > this.sizeMax))
      throw new PlatformError('MESSAGE_TOO_LARGE', `A record is over ${this.sizeMax} bytes`)
    for (const record of records) this.taken.push({ topic, record })
  }

  /** Whom the bus waits for until what it was given survives a crash. */
  readers: Promise<void> = Promise.resolve()

  settled(): Promise<void> {
    return this.readers
  }

  get ids(): (string | undefined)[] {
    return this.taken.map(({ record }) => record.headers?.ce_id)
  }
}

let database: Database
let stack: AsyncDisposableStack
let shelf: Shelf
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  database = stack.use(await testDatabase())
  shelf = new Shelf()
})
afterEach(() => stack.disposeAsync())

const relay = (options: Partial<OutboxRelayOptions> = {}) =>
  stack.use(
    new OutboxRelay({
      bus: shelf,
      database,
      clock: systemClock,
      log: silentLog,
      metrics: openMetrics(),
      options: { pollMs: 20, ...options },
    }),
  )

const event = (id: string, fields: Partial<OutboxEvent> = {}): OutboxEvent => ({
  id,
  topic: 'stock-bars',
  key: 'AAPL',
  headers: {},
  value: Buffer.from(id),
  ...fields,
})

async function store(...events: OutboxEvent[]): Promise<void> {
  const connection = await database.checkout()
  await appendToOutbox(connection, events)
  connection.release()
}

test('events leave in the order in which they were stored, and each once', async () => {
  const ids = Array.from({ length: 10 }, (_, i) => `event-${i}`)
  await store(...ids.map((id) => event(id)))
  await store(event('event-3'))
  // Not before: an event that has left already is stored again.
  relay({ batchSizeMax: 3 })
  await eventually(() => countOutbox(database.pool)).toBe(0)
  expect(shelf.ids).toEqual(ids)
})

test('a nudge is enough', async () => {
  const running = relay({ pollMs: 60_000 })
  await eventually(() => lockHolders()).toBe(1)
  await store(event('event'))
  running.nudge()
  await eventually(() => shelf.ids).toEqual(['event'])
})

test('events wait while the bus is away', async () => {
  shelf.away = true
  relay()
  await store(event('event'))
  await eventually(() => shelf.calls).toBeGreaterThan(1)
  expect(await countOutbox(database.pool)).toBe(1)
  shelf.away = false
  await eventually(() => shelf.ids).toEqual(['event'])
})

test('an event that is too large for the bus is kept as a dead letter and the next ones leave', async () => {
  shelf.sizeMax = 10
  relay()
  await store(event('a'), event('large', { value: Buffer.alloc(11) }), event('b'))
  await eventually(() => shelf.ids).toEqual(['a', 'b'])
  await eventually(() => new DeadLetters(database.pool).count('outbox', 'stock-bars')).toBe(1)
  const [letter] = await new DeadLetters(database.pool).list('outbox', 'stock-bars', 10)
  expect(letter).toMatchObject({ code: 'MESSAGE_TOO_LARGE', value: Buffer.alloc(11) })
})

test("an event of somebody else's record, with NUL in key and headers, leaves as well", async () => {
  relay()
  await store({ ...event('late'), key: 'A\0', headers: { trace: 'b\0' } })
  await eventually(() => shelf.ids).toEqual(['late'])
  expect(shelf.taken[0].record).toMatchObject({ key: 'A\ufffd', headers: { trace: 'b\ufffd' } })
})

test('one relay works at a time, and another takes over when its session ends', async () => {
  relay()
  await store(event('first'))
  await eventually(() => shelf.ids).toEqual(['first'])
  relay()
  expect(await lockHolders()).toBe(1)
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  )
  await store(event('second'))
  await eventually(() => shelf.ids).toEqual(['first', 'second'])
  await eventually(lockHolders).toBe(1)
})

test('what a source told that is no fact is kept once and told once', async () => {
  relay()
  const letters = new DeadLetters(database.pool)
  const reject = { position: 17, reason: 'line 17: price \0 was "abc"', original: Buffer.from('17,abc') }
  await letters.append('replay:tape', [reject, reject])
  await eventually(() => shelf.taken).toHaveLength(1)
  await letters.append('replay:tape', [reject, { ...reject, position: 18 }])
  await eventually(() => shelf.taken).toHaveLength(2)
  expect(await letters.count('ingest', 'replay:tape')).toBe(2)
  expect(shelf.taken[0]).toMatchObject({
    topic: 'stock-data.dlq',
    record: {
      key: 'replay:tape',
      value: Buffer.from('17,abc'),
      headers: { 'x-original-topic': 'replay:tape', 'x-original-offset': '17', 'x-error-code': 'INVALID_EVENT' },
    },
  })
})

const lockHolders = async () => {
  const { rows } = await database.pool.query(
    `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  )
  return Number(rows[0].count)
}

test('a stop does not wait for readers who have stopped before, and what they did not read is told again', async () => {
  shelf.readers = new Promise(() => {})
  const running = relay()
  await store(event('event'))
  await eventually(() => shelf.ids).toEqual(['event'])
  await running[Symbol.asyncDispose]()
  expect(await countOutbox(database.pool)).toBe(1)
})
