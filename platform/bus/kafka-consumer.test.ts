import type { Kafka } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ScriptedConsumer } from '../../tests/support/scripted-consumer.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import type { BusRecord, ConsumeOptions } from './bus.ts'
import { KafkaConsumer } from './kafka-consumer.ts'
import { RecentRecords } from './recent-records.ts'

const HEARTBEAT_MS = 1_000

/** A consumer of one partition that has joined its group; `handled` ends when the test says so. */
async function openConsumer(options: Partial<ConsumeOptions> = {}, recent = new RecentRecords()) {
  const client = new ScriptedConsumer()
  const told: string[] = []
  const handled: PromiseWithResolvers<void>[] = []
  const consumer = new KafkaConsumer(
    {
      kafka: { consumer: () => client.client } as unknown as Kafka,
      connection: { brokers: ['kafka:9092'], clientId: 'test' },
      clock: systemClock,
      log: silentLog,
      metrics: openMetrics(),
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rebalanceTimeoutMs: 10_000,
      openTimeoutMs: 30_000,
      closeTimeoutMs: 1_000,
      silenceMs: 600_000,
      offsets: async () => new Map([[0, { low: 0, high: 100 }]]),
      committed: async () => new Map(),
      recent,
      onLeft: () => told.push('left'),
    },
    {
      group: 'bars',
      topic: 'ticks',
      position: async () => new Map([[0, 0]]),
      onBatch: async ({ records }) => {
        told.push(`batch at ${records[0].offset}`)
        const done = Promise.withResolvers<void>()
        handled.push(done)
        await done.promise
      },
      onRevoked: () => told.push('revoked'),
      onFatal: (error) => told.push(`fatal ${error}`),
      ...options,
    },
  )
  const opened = consumer.open()
  await vi.advanceTimersByTimeAsync(0)
  client.joins([0])
  await opened
  await vi.advanceTimersByTimeAsync(0)
  return { client, consumer, told, handled }
}

/** The first record of the partition, as the client brings it. */
const firstRecord = (heartbeat: () => Promise<void>) => ({
  batch: {
    topic: 'ticks',
    partition: 0,
    highWatermark: '100',
    fetchedOffset: '0',
    messages: [{ offset: '0', key: Buffer.from('AAPL'), value: Buffer.from('1'), timestamp: '0' }],
    lastOffset: () => '0',
  },
  resolveOffset: () => undefined,
  heartbeat,
  isRunning: () => true,
  isStale: () => false,
})

const alive = async () => undefined
const refusal = (type: string) => Object.assign(new Error(type), { type, retriable: false })

describe('a consumer of Kafka', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('loses its partitions when a heartbeat during a batch is answered that the group rebalances', async () => {
    const { client, told } = await openConsumer()
    const first = client.eachBatch(firstRecord(() => Promise.reject(refusal('REBALANCE_IN_PROGRESS'))))
    const failed = expect(first).rejects.toThrow('REBALANCE_IN_PROGRESS')
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS)
    await failed
    expect(told).toEqual(['batch at 0', 'revoked'])
  })

  test.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])(
    'keeps its partitions when a heartbeat of a turn before is answered %s after it joined again',
    async (answer) => {
      const { client, told, handled } = await openConsumer()
      const answered = Promise.withResolvers<void>()
      const first = client.eachBatch(firstRecord(() => answered.promise))
      const failed = expect(first).rejects.toThrow(answer)
      await vi.advanceTimersByTimeAsync(HEARTBEAT_MS)
      client.tells('REBALANCING')
      client.joins([0])
      await vi.advanceTimersByTimeAsync(0)
      answered.reject(refusal(answer))
      await failed
      handled[0].resolve()
      const again = client.eachBatch(firstRecord(alive))
      await vi.advanceTimersByTimeAsync(0)
      handled[1]?.resolve()
      await again
      expect(told).toEqual(['batch at 0', 'revoked', 'batch at 0'])
    },
  )

  describe('that holds records back, beside one that reads at once', () => {
    const LINGER_MS = 100
    const read = (from: number, to: number, high = to) => ({
      records: Array.from({ length: to - from }, (_, i): BusRecord => {
        const offset = from + i
        return { offset, key: 'AAPL', value: Buffer.from(String(offset)), headers: {} }
      }),
      nextOffset: to,
      high,
    })

    /** The one that reads at once is the test's; `taken` are the offsets that the other one was handed. */
    async function openBeside() {
      const recent = new RecentRecords()
      const trail = recent.lead('ticks', 0, 0)
      const taken: number[] = []
      const onBatch: ConsumeOptions['onBatch'] = async ({ records }) => {
        for (const { offset } of records) taken.push(offset)
      }
      const opened = await openConsumer({ lingerMs: LINGER_MS, onBatch }, recent)
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      return { ...opened, taken, recent, trail }
    }

    test('takes what that one has read, and does not fetch', async () => {
      const { client, taken, trail } = await openBeside()
      expect([...client.paused]).toEqual([0])
      trail?.add(0, read(0, 2))
      trail?.add(2, read(2, 3))
      expect(taken).toEqual([])
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      expect(taken).toEqual([0, 1, 2])
      trail?.add(3, read(3, 4))
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      expect(taken).toEqual([0, 1, 2, 3])
    })

    test('fetches from where it is when that one has left', async () => {
      const { client, taken, trail } = await openBeside()
      trail?.add(0, read(0, 2))
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      trail?.end()
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      expect(taken).toEqual([0, 1])
      expect(client.seeks.at(-1)).toBe(2)
      expect([...client.paused]).toEqual([])
    })

    test('fetches from where it is when that one catches up, and so holds nothing', async () => {
      const { client, taken, trail } = await openBeside()
      trail?.add(0, read(0, 50, 1_000))
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      expect(taken).toEqual([])
      expect(client.seeks.at(-1)).toBe(0)
      expect([...client.paused]).toEqual([])
    })

    test('is not handed what was on its way from the broker as well', async () => {
      const { client, taken, trail } = await openBeside()
      trail?.add(0, read(0, 1))
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      await client.eachBatch(firstRecord(alive))
      expect(taken).toEqual([0])
    })

    test('starts anew where its position says when it joins its group again', async () => {
      const { client, taken, trail } = await openBeside()
      trail?.add(0, read(0, 1))
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      client.tells('REBALANCING')
      client.joins([0])
      await vi.advanceTimersByTimeAsync(LINGER_MS)
      expect(taken).toEqual([0, 0])
    })

    test('wants nothing to be held for it any more when it is closed', async () => {
      const { consumer, recent } = await openBeside()
      expect(recent.isWanted('ticks')).toBe(true)
      const closed = consumer[Symbol.asyncDispose]()
      await vi.advanceTimersByTimeAsync(5_000)
      await closed
      expect(recent.isWanted('ticks')).toBe(false)
    })
  })
})
