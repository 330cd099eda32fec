import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import type { BusConsumer, ConsumeOptions, OutgoingRecord } from './bus.ts'
import { MemoryBus, type MemoryBusOptions } from './memory-bus.ts'

// What only the bus in memory has: a bound, a tail, and an end with its process. What every bus promises is in the
// contract suite.

const opened: MemoryBus[] = []
afterEach(async () => {
  for (const bus of opened.splice(0)) await bus[Symbol.asyncDispose]()
})

async function openBus(options: Partial<MemoryBusOptions> = {}) {
  const metrics = openMetrics()
  const bus = new MemoryBus({ log: silentLog, metrics, ...options })
  opened.push(bus)
  await bus.createTopics([{ name: 'topic', partitions: 1, retentionMs: 1_000 }])
  const range = async () => (await bus.offsets('topic')).get(0)
  return { bus, metrics, range }
}

const some = (count: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: 'AAPL', value: Buffer.from(String(i)) }))

const ignoring = (options: Partial<ConsumeOptions> = {}): ConsumeOptions => ({
  group: 'group',
  topic: 'topic',
  onBatch: async () => undefined,
  onFatal: (error) => {
    throw error
  },
  ...options,
})

/** Whether it is still waiting once everything that could happen now has happened. */
async function isPending(work: Promise<unknown>): Promise<boolean> {
  let pending = true
  const done = () => {
    pending = false
  }
  work.then(done, done)
  await everythingNow()
  return pending
}

/** Everything that could happen now has happened. */
async function everythingNow(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

test('producers wait while the slowest group is a bound behind, and go on when it has come further', async () => {
  const { bus, metrics } = await openBus({ recordsMax: 10 })
  const slow = await bus.consume(ignoring({ group: 'slow' }))
  const fast: BusConsumer = await bus.consume(
    ignoring({ group: 'fast', onBatch: async ({ nextOffset }) => fast.processed(0, nextOffset) }),
  )
  await bus.produce('topic', some(10))
  const waiting = bus.produce('topic', some(1))
  expect(await isPending(waiting)).toBe(true)
  expect((await metrics.busBackpressure.get()).values).toMatchObject([{ labels: { topic: 'topic' }, value: 1 }])
  slow.processed(0, 1)
  await waiting
  expect((await bus.offsets('topic')).get(0)?.high).toBe(11)
})

test('of several that wait for room only as many go on as there is room for', async () => {
  const { bus, range } = await openBus({ recordsMax: 10 })
  const consumer = await bus.consume(ignoring())
  await bus.produce('topic', some(10))
  const waiting = [bus.produce('topic', some(8)), bus.produce('topic', some(8)), bus.produce('topic', some(8))]
  await isPending(Promise.all(waiting))
  consumer.processed(0, 1)
  await waiting[0]
  expect(await isPending(waiting[1])).toBe(true)
  expect((await range())?.high).toBe(18)
  consumer.processed(0, 18)
  await Promise.all(waiting.slice(0, 2))
})

test('a topic that no group reads keeps its newest records and never makes a producer wait', async () => {
  const { bus, range } = await openBus({ recordsMax: 10, tailMax: 5 })
  for (let i = 0; i < 10; i++) await bus.produce('topic', some(10))
  expect(await range()).toEqual({ low: 95, high: 100 })
})

test('records stay until every group has processed them, and a tail after that', async () => {
  const { bus, range } = await openBus({ tailMax: 2 })
  const first = await bus.consume(ignoring({ group: 'first' }))
  const second = await bus.consume(ignoring({ group: 'second' }))
  await bus.produce('topic', some(10))
  await isPending(Promise.resolve())
  first.processed(0, 10)
  expect(await range()).toEqual({ low: 0, high: 10 })
  second.processed(0, 10)
  expect(await range()).toEqual({ low: 8, high: 10 })
})

test('a position below the tail is refused instead of being reset', async () => {
  const { bus } = await openBus({ tailMax: 2 })
  await bus.produce('topic', some(10))
  const fatal: Error[] = []
  await bus.consume(ignoring({ position: async () => new Map([[0, 7]]), onFatal: (error) => fatal.push(error) }))
  await expect.poll(() => fatal).toMatchObject([{ code: 'OFFSET_LOST', message: expect.stringContaining('8 to 10') }])
})

test('nothing is forgotten while a group is being positioned', async () => {
  const { bus, range } = await openBus({ tailMax: 2 })
  const answer = Promise.withResolvers<ReadonlyMap<number, number>>()
  const seen: number[] = []
  const onBatch: ConsumeOptions['onBatch'] = async ({ records }) => void seen.push(...records.map((r) => r.offset))
  const other = await bus.consume(ignoring({ group: 'other' }))
  await bus.produce('topic', some(10))
  await isPending(Promise.resolve())
  await bus.consume(ignoring({ position: () => answer.promise, onBatch }))
  other.processed(0, 10)
  expect(await range()).toEqual({ low: 0, high: 10 })
  answer.resolve(new Map([[0, 6]]))
  await expect.poll(() => seen).toEqual([6, 7, 8, 9])
})

test('nobody waits for a closed bus to settle', async () => {
  const { bus } = await openBus()
  await bus.consume(ignoring())
  await bus.produce('topic', some(1))
  await bus[Symbol.asyncDispose]()
  await expect(bus.settled()).rejects.toThrow('closed')
})

test('what was produced is settled when every group has processed it', async () => {
  const { bus } = await openBus()
  await bus.settled()
  const first = await bus.consume(ignoring({ group: 'first' }))
  const second = await bus.consume(ignoring({ group: 'second' }))
  await bus.produce('topic', some(3))
  const settled = bus.settled()
  await isPending(settled)
  first.processed(0, 3)
  expect(await isPending(settled)).toBe(true)
  await bus.produce('topic', some(3))
  second.processed(0, 3)
  await settled
})

test('a group that is positioned at the end has nothing left to settle', async () => {
  const { bus } = await openBus()
  await bus.produce('topic', some(3))
  await bus.consume(ignoring({ position: async (ranges) => new Map([[0, ranges.get(0)?.high ?? 0]]) }))
  expect(await isPending(bus.settled())).toBe(false)
})

test('after a restart the offsets go on where they are told to', async () => {
  const { bus, range } = await openBus({
    firstOffsets: (topic, partition) => (topic === 'topic' ? 500 + partition : 0),
  })
  const offsets: number[] = []
  await bus.consume(
    ignoring({ onBatch: async ({ records }) => void offsets.push(...records.map(({ offset }) => offset)) }),
  )
  await bus.produce('topic', some(2))
  await expect.poll(() => offsets).toEqual([500, 501])
  expect(await range()).toEqual({ low: 500, high: 502 })
})

test('a producer that never pauses leaves room for everybody else', async () => {
  const { bus } = await openBus()
  let turns = 0
  const tick = setInterval(() => turns++, 0)
  for (let i = 0; i < 200; i++) await bus.produce('topic', some(500))
  clearInterval(tick)
  expect(turns).toBeGreaterThan(0)
})

test('a topic that was not created is named', async () => {
  const { bus } = await openBus()
  await expect(bus.produce('stock-dta', some(1))).rejects.toMatchObject({
    code: 'BUS_UNAVAILABLE',
    message: 'There is no topic stock-dta, expected it to be created first',
  })
})

test('closing ends those who wait', async () => {
  const { bus } = await openBus({ recordsMax: 1 })
  await bus.consume(ignoring())
  await bus.produce('topic', some(1))
  const waiting = bus.produce('topic', some(1))
  const refused = expect(waiting).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
  await bus[Symbol.asyncDispose]()
  await refused
})

test('what is asked to linger comes together once its time is over', async () => {
  const clock = new ManualClock()
  const { bus } = await openBus({ clock })
  const batches: number[] = []
  const onBatch: ConsumeOptions['onBatch'] = async ({ records }) => void batches.push(records.length)
  await bus.consume(ignoring({ lingerMs: 100, onBatch }))
  const lingers = () => expect.poll(() => clock.sleeping).toBe(1)
  await everythingNow()
  for (const count of [2, 3]) await bus.produce('topic', some(count))
  await lingers()
  await clock.advance(99)
  await everythingNow()
  expect(batches).toEqual([])
  await clock.advance(1)
  await expect.poll(() => batches).toEqual([5])
  await bus.produce('topic', some(1))
  await lingers()
  expect(batches).toEqual([5])
  await clock.advance(100)
  await expect.poll(() => batches).toEqual([5, 1])
})

test('where much waits, nothing lingers', async () => {
  const { bus } = await openBus({ clock: new ManualClock(), batchSizeMax: 10 })
  const batches: number[] = []
  const onBatch: ConsumeOptions['onBatch'] = async ({ records }) => void batches.push(records.length)
  await bus.consume(ignoring({ lingerMs: 100, onBatch }))
  await everythingNow()
  await bus.produce('topic', some(5))
  await expect.poll(() => batches).toEqual([5])
})
