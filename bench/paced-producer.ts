// Produces ticks at a steady rate with kafkajs until it is stopped; the size of each carries the time it was sent.
//   paced-producer BROKERS PREFIX RATE SYMBOLS [REGISTRY]
import { setTimeout as sleep } from 'node:timers/promises'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { openCodec } from '../platform/bus/codec.ts'
import { ConfluentSchemaRegistry } from '../platform/bus/confluent-schema-registry.ts'
import { openKafkaBus } from '../platform/bus/kafka-bus.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { deadLetterTopic, lateTopic, TOPICS } from '../platform/bus/topics.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'

const STAMP_BASE = 1_700_000_000_000
const [brokers, prefix, rateText, symbolsText, registry] = process.argv.slice(2)
const rate = Number(rateText)
const symbols = Number(symbolsText)

const kafka = new Kafka({ clientId: 'bench-producer', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const bus = await openKafkaBus({
  brokers: brokers.split(','),
  clientId: 'bench-producer',
  log: silentLog,
  metrics: openMetrics(),
})
await bus.createTopics(
  Object.entries(TOPICS).flatMap(([name, { partitions, retentionMs }]) =>
    [name, lateTopic(name), deadLetterTopic(name)].map((topic) => ({ name: prefix + topic, partitions, retentionMs })),
  ),
)
await bus[Symbol.asyncDispose]()
const codec = await openCodec(registry ? new ConfluentSchemaRegistry({ url: registry }) : new MemorySchemaRegistry())
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()
process.once('SIGTERM', () => process.exit(0))
// Whoever asked for it has ended without a word.
process.once('disconnect', () => process.exit(0))

const started = performance.now()
let sent = 0
let announced = false
for (;;) {
  const due = Math.floor(((performance.now() - started) / 1_000) * rate)
  const messages = []
  for (; sent < due; sent++) {
    const nowMs = performance.timeOrigin + performance.now()
    const { key, value } = codec.encode('stock-data', {
      symbol: `SYM${sent % symbols}`,
      price: 100,
      size: nowMs - STAMP_BASE,
      eventTimeMs: Math.floor(nowMs),
      ingestTimeMs: Math.floor(nowMs),
      seq: sent,
      source: 'bench',
      position: sent,
    })
    messages.push({ key, value })
  }
  if (messages.length > 0)
    await producer.send({ topic: `${prefix}stock-data`, acks: -1, compression: CompressionTypes.None, messages })
  if (!announced && messages.length > 0) announced = process.send?.('producing') ?? true
  await sleep(2)
}
