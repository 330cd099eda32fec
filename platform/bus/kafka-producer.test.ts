import type { Kafka } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { KafkaTopicProducer } from './kafka-producer.ts'

/** A client that does what the test says. A real one would have to be brought to hang, which it does only now and then. */
class ScriptedProducer {
  readonly events = { REQUEST: 'REQUEST', REQUEST_TIMEOUT: 'REQUEST_TIMEOUT' }
  readonly #heard: (() => void)[] = []
  readonly sends: string[][] = []
  readonly send: (request: { messages: { value: Buffer }[] }) => Promise<void>

  constructor(answer: () => Promise<void>) {
    this.send = ({ messages }) => {
      this.sends.push(messages.map(({ value }) => value.toString()))
      return answer()
    }
  }

  on(_event: string, listener: () => void): void {
    this.#heard.push(listener)
  }
  asks(): void {
    for (const heard of this.#heard) heard()
  }
  async connect(): Promise<void> {}
  disconnect(): Promise<void> {
    return new Promise(() => undefined)
  }
}

const never = () => new Promise<never>(() => undefined)
const records = (...values: string[]) => values.map((value) => ({ key: 'AAPL', value: Buffer.from(value) }))

/** The first client answers as the test says, those after it store what they get. */
function openProducer(answer: () => Promise<void>) {
  const clients: ScriptedProducer[] = []
  const kafka = {
    producer: () => {
      clients.push(new ScriptedProducer(clients.length === 0 ? answer : async () => undefined))
      return clients.at(-1)
    },
  }
  const producer = new KafkaTopicProducer('ticks', {
    kafka: kafka as unknown as Kafka,
    connection: { brokers: ['kafka:9092'], clientId: 'test' },
    clock: { ...systemClock, now: () => Date.now() },
    log: silentLog,
    metrics: openMetrics(),
    produceTimeoutMs: 30_000,
    silenceMs: 20_000,
    closeTimeoutMs: 1_000,
  })
  return { producer, clients }
}

describe('a call to produce', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000)

  test('that its client has lost is made by a new one', async () => {
    const { producer, clients } = openProducer(never)
    const produced = producer.produce(records('1', '2'))
    await seconds(19)
    expect(clients).toHaveLength(1)
    await seconds(3)
    await produced
    expect(clients.map(({ sends }) => sends)).toEqual([[['1', '2']], [['1', '2']]])
  })

  test('stays with a client that goes on asking, however long it takes', async () => {
    const stored = Promise.withResolvers<void>()
    const { producer, clients } = openProducer(() => stored.promise)
    const produced = producer.produce(records('1'))
    for (let i = 0; i < 10; i++) {
      await seconds(15)
      clients[0].asks()
    }
    stored.resolve()
    await produced
    expect(clients.map(({ sends }) => sends)).toEqual([[['1']]])
  })

  test('is not missed by a client that had nothing to do for long', async () => {
    const { producer, clients } = openProducer(async () => undefined)
    await producer.produce(records('1'))
    await seconds(600)
    await producer.produce(records('2'))
    expect(clients.map(({ sends }) => sends)).toEqual([[['1'], ['2']]])
  })

  test('that failed is made by the same client again, so that nothing is stored twice', async () => {
    let calls = 0
    const { producer, clients } = openProducer(async () => {
      if (++calls === 1) throw new Error('acknowledgement lost')
    })
    const produced = producer.produce(records('1'))
    await seconds(1)
    await produced
    expect(clients.map(({ sends }) => sends)).toEqual([[['1'], ['1']]])
  })

  test('that failed for good and is followed by other records leaves its client behind', async () => {
    const { producer, clients } = openProducer(() => Promise.reject(new Error('acknowledgement lost')))
    const failed = expect(producer.produce(records('1'))).rejects.toThrow(PlatformError)
    await seconds(40)
    await failed
    await producer.produce(records('2'))
    expect(clients.map(({ sends }) => sends.at(-1))).toEqual([['1'], ['2']])
  })

  test('is waited for at the end, and a client that does not part is not', async () => {
    const stored = Promise.withResolvers<void>()
    const { producer } = openProducer(() => stored.promise)
    const told: string[] = []
    const produced = producer.produce(records('1')).then(() => told.push('stored'))
    const closed = producer.close().then(() => told.push('closed'))
    await seconds(5)
    expect(told).toEqual([])
    stored.resolve()
    await seconds(1)
    await Promise.all([produced, closed])
    expect(told).toEqual(['stored', 'closed'])
  })
})
