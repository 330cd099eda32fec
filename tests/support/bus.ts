import { randomUUID } from 'node:crypto'
import type { BusConsumer, ConsumeOptions, EventBus, OutgoingRecord } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'

/** Every adapter whose backend is there. KAFKA_BROKERS chooses a real Kafka. */
export const buses: [name: string, open: () => Promise<EventBus>][] = [
  ['memory', async () => new MemoryBus({ log: silentLog, metrics: openMetrics() })],
]
export const kafkaBrokers = process.env.KAFKA_BROKERS?.split(',')
if (kafkaBrokers) {
  const clientId = 'investor-updates-tests'
  buses.push(['Kafka', () => openKafkaBus({ brokers: kafkaBrokers, clientId, log: silentLog, metrics: openMetrics() })])
}

/** Real backends outlive the tests: a topic or group of an earlier run must not be met again. */
export const unique = (name: string): string => `${name}-${randomUUID()}`

export async function newTopic(bus: EventBus, partitions = 1, name = unique('topic')): Promise<string> {
  await bus.createTopics([{ name, partitions, retentionMs: 3_600_000 }])
  return name
}

export const records = (key: string, values: readonly (string | number)[]): OutgoingRecord[] =>
  values.map((value) => ({ key, value: Buffer.from(String(value)) }))

export const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

export interface Reader {
  readonly consumer: BusConsumer
  /** Values in the order of their delivery. */
  readonly seen: string[]
  readonly fatal: Error[]
}

/** A consumer that remembers what it was given and says `processed` after each batch. */
export async function read(
  bus: EventBus,
  topic: string,
  group: string,
  options: Partial<ConsumeOptions> = {},
): Promise<Reader> {
  const seen: string[] = []
  const fatal: Error[] = []
  // The first batch may come before `consume` has returned.
  const opened = Promise.withResolvers<BusConsumer>()
  const consumer = await bus.consume({
    group,
    topic,
    onFatal: (error) => fatal.push(error),
    onBatch: async (batch) => {
      for (const { value } of batch.records) seen.push(String(value))
      const self = await opened.promise
      self.processed(batch.partition, batch.nextOffset)
    },
    ...options,
  })
  opened.resolve(consumer)
  return { consumer, seen, fatal }
}
