import { randomUUID } from 'node:crypto'
import { type Tick, tick } from '../../domain/tick.ts'
import type { BusRecord, EventBus } from '../../platform/bus/bus.ts'
import { type EventCodec, openCodec } from '../../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import { partitionOf } from '../../platform/bus/partition.ts'
import { PrefixedBus } from '../../platform/bus/prefixed-bus.ts'
import type { SchemaRegistry } from '../../platform/bus/schema-registry.ts'
import { deadLetterTopic, type Fact, lateTopic, type Topic } from '../../platform/bus/topics.ts'
import { systemClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { type Metrics, openMetrics } from '../../platform/metrics.ts'
import { MemoryPubSub } from '../../platform/pubsub/memory-pubsub.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import type { Database } from '../../platform/store/database.ts'
import type { ProcessorDeps } from '../../processors/context.ts'
import type { ProcessorSettings } from '../../processors/options.ts'
import { type ProcessorName, startProcessors } from '../../processors/processors.ts'
import { testDatabase } from './database.ts'
import { readLog } from './read-log.ts'

/** Few, because a broker keeps all topics of all tests. */
const PARTITIONS = 3

/** 2026-03-02 14:30 UTC: a minute, five-minute, hour boundary are near, a day is not. */
export const OPENING_MS = Date.UTC(2026, 2, 2, 14, 30)

/** Everything between the bus and the store, and a hand on each side. */
export interface Processing extends AsyncDisposable {
  readonly bus: EventBus
  readonly codec: EventCodec
  readonly database: Database
  readonly pubsub: PubSub
  readonly metrics: Metrics
  readonly fatal: Error[]
  readonly deps: ProcessorDeps
  start(names: readonly ProcessorName[], settings?: ProcessorSettings): Promise<AsyncDisposable>
  produce(...ticks: Tick[]): Promise<void>
  /** Each on its topic, one by one. */
  tell(...facts: Fact[]): Promise<void>
  /** On `stock-data`, unless said otherwise. */
  produceRaw(key: string, value: Buffer, topic?: Topic): Promise<void>
  /** First column of each row. */
  select(sql: string, ...values: unknown[]): Promise<unknown[]>
  /** Everything that is on the topic now, by whoever put it there. */
  read(topic: string): Promise<BusRecord[]>
}

export interface ProcessingOptions {
  readonly openBus: (metrics: Metrics) => Promise<EventBus>
  /** The one in memory, unless said otherwise. */
  readonly openPubSub?: (metrics: Metrics) => PubSub
  readonly database?: Database
  readonly registry?: SchemaRegistry
  /** Before topics and groups; by default one that nobody else uses. */
  readonly prefix?: string
  /** Those that are made, with their late and dead-letter topics. By default those of ticks and bars. */
  readonly topics?: readonly Topic[]
}

export async function openProcessing({ openBus, database: given, ...options }: ProcessingOptions): Promise<Processing> {
  const stack = new AsyncDisposableStack()
  const metrics = openMetrics()
  const database = given ?? stack.use(await testDatabase())
  const bus = new PrefixedBus(stack.use(await openBus(metrics)), options.prefix ?? `t${randomUUID().slice(0, 8)}-`)
  const { topics = ['stock-data', 'stock-bars'] } = options
  await bus.createTopics(
    topics
      .flatMap((topic) => [topic, lateTopic(topic), deadLetterTopic(topic)])
      .map((name) => ({ name, partitions: PARTITIONS, retentionMs: 3_600_000 })),
  )
  const codec = await openCodec(options.registry ?? new MemorySchemaRegistry())
  const inMemory = () => new MemoryPubSub({ metrics, log: silentLog })
  const pubsub = stack.use((options.openPubSub ?? inMemory)(metrics))
  const fatal: Error[] = []
  const deps: ProcessorDeps = {
    bus,
    codec,
    database,
    publish: pubsub.publish.bind(pubsub),
    clock: systemClock,
    log: silentLog,
    metrics,
    onFatal: (error) => fatal.push(error),
  }
  return {
    bus,
    codec,
    database,
    pubsub,
    metrics,
    fatal,
    deps,
    start: async (names, settings) => stack.use(await startProcessors(names, deps, settings)),
    produce: (...ticks) =>
      bus.produce(
        'stock-data',
        ticks.map((each) => codec.encode('stock-data', each)),
      ),
    tell: async (...facts) => {
      for (const { topic, event } of facts) await bus.produce(topic, [codec.encode(topic, event)])
    },
    produceRaw: (key, value, topic = 'stock-data') => bus.produce(topic, [{ key, value }]),
    select: async (sql, ...values) => {
      const { rows } = await database.pool.query({ text: sql, values, rowMode: 'array' })
      return rows.map((row: unknown[]) => row[0])
    },
    read: async (topic) => [...(await readLog(bus, topic)).values()].flat(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

let told = 0

/** A print of AAPL at the opening, with the source's next position, but for what is said. */
export function print(fields: Partial<Tick> = {}): Tick {
  const position = fields.position ?? told++
  const eventTimeMs = fields.eventTimeMs ?? OPENING_MS
  return tick({
    symbol: 'AAPL',
    price: 190,
    size: 10,
    eventTimeMs,
    ingestTimeMs: Math.max(eventTimeMs, OPENING_MS),
    seq: position,
    source: 'test',
    position,
    ...fields,
  })
}

/** A symbol whose partition is not the one of any of these. */
export function symbolElsewhere(...symbols: string[]): string {
  const taken = new Set(symbols.map((symbol) => partitionOf(symbol, PARTITIONS)))
  for (let i = 0; ; i++) if (!taken.has(partitionOf(`S${i}`, PARTITIONS))) return `S${i}`
}

/** A symbol of the same partition. */
export function symbolBeside(symbol: string): string {
  for (let i = 0; ; i++)
    if (partitionOf(`S${i}`, PARTITIONS) === partitionOf(symbol, PARTITIONS) && `S${i}` !== symbol) return `S${i}`
}
