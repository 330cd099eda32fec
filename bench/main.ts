// npm run bench                          lists the benchmarks
// npm run bench -- <name> [--json]       runs one; with --json the last line is one JSON object
import { parseArgs } from 'node:util'
import type { Report } from './report.ts'

interface Benchmark {
  readonly compares: string
  readonly run: () => Promise<Report>
}

const BENCHMARKS: Record<string, Benchmark> = {
  'store-embedded': {
    compares: 'ticks → stored rows and quotes, embedded, against a bare COPY loop and a bare unnest loop',
    run: async () => (await import('./store.ts')).storeEmbedded(),
  },
  'store-kafka': {
    compares: 'the same from a real Kafka (KAFKA_BROKERS)',
    run: async () => (await import('./store.ts')).storeKafka(),
  },
  latency: {
    compares:
      'tick → GraphQL subscriber over Kafka and Redis (KAFKA_BROKERS, REDIS_URL) against bare kafkajs produce → consume',
    run: async () => (await import('./latency.ts')).latency(),
  },
  delivery: {
    compares: 'pubsub → subgraph → gateway → subscriber, processor time a result, against a bare ws server',
    run: async () => (await import('./delivery.ts')).delivery(),
  },
  isolation: {
    compares: 'one vendor beside three that are dead, hanging, slow or lying, against beside three that are well',
    run: async () => (await import('./isolation.ts')).isolation(),
  },
  quota: {
    compares: 'a vendor of 25 requests a day: requests and age of what is watched, planned, against asking all in turn',
    run: async () => (await import('./quota.ts')).quota(),
  },
  streams: {
    compares:
      'messages a second that one core reads of each streaming vendor and produces, against JSON.parse alone; memory',
    run: async () => (await import('./streams.ts')).streams(),
  },
  garbage: {
    compares:
      'what outlives statements and published messages (REDIS_URL), against node-postgres and ioredis as they are',
    run: async () => (await import('./garbage.ts')).garbage(),
  },
  tape: {
    compares: 'a recorded tape → valid ticks (TAPE_DIR), against its lines alone; rows a second of processor time',
    run: async () => (await import('./tape.ts')).tape(),
  },
  start: {
    compares: 'all-in-one: start to ready and to the first tick, idle memory; against a bare Node process',
    run: async () => (await import('./start.ts')).start(),
  },
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})
const name = positionals[0]
if (name === undefined) {
  for (const [each, { compares }] of Object.entries(BENCHMARKS)) console.log(`${each.padEnd(16)} ${compares}`)
  process.exit(0)
}
const benchmark = BENCHMARKS[name]
if (!benchmark) {
  console.error(`There is no benchmark ${name}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
  process.exit(64)
}
const report = await benchmark.run()
if (values.json) console.log(JSON.stringify({ name, ...report.toJSON() }))
process.exit(0)
