// The stations of a tick and nothing else: kafkajs, one statement of rows and quotes, Redis, a bare `ws` server. What somebody
// would write who needs no positions, dead letters, bars or GraphQL. Tells its parent the port at which it listens.
//   handwritten-chain BROKERS PREFIX REDIS [REGISTRY]
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Tick } from '../domain/tick.ts'
import { openCodec } from '../platform/bus/codec.ts'
import { ConfluentSchemaRegistry } from '../platform/bus/confluent-schema-registry.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { silentLog } from '../platform/log.ts'
import { TICK_COLUMNS } from '../platform/store/copy.ts'
import { startEmbeddedPostgres } from '../platform/store/embedded-postgres.ts'
import { migrate } from '../platform/store/migrate.ts'
import { temporaryDataDir } from '../tests/support/platform-process.ts'
import { bareConsumer } from './bare-consumer.ts'

const [brokers, prefix, redisUrl, registry] = process.argv.slice(2)
const dataDir = await temporaryDataDir()
const server = await startEmbeddedPostgres({ dataDir, log: silentLog })
await migrate(server.url, { log: silentLog })
const database = new pg.Client({ connectionString: server.url })
await database.connect()
await database.query('SET synchronous_commit = off')

let consumer: Awaited<ReturnType<typeof bareConsumer>> | undefined

async function stop(code = 0): Promise<never> {
  await consumer?.disconnect()
  await database.end()
  await server[Symbol.asyncDispose]()
  rmSync(dirname(dataDir), { recursive: true, force: true })
  process.exit(code)
}
process.once('SIGTERM', () => stop())
// Whoever asked for it has ended without a word.
process.once('disconnect', () => stop())
// Its database would go on without it.
process.once('uncaughtException', async (error) => {
  console.error(error)
  await stop(1)
})

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(wss, 'listening')
const subscriptions = new Map<WebSocket, string>()
wss.on('connection', (socket) =>
  socket.on('message', (message) => {
    const { type, id } = JSON.parse(String(message))
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}')
    if (type === 'subscribe') subscriptions.set(socket, id)
  }),
)
const subscriber = new Redis(redisUrl)
await subscriber.subscribe(`${prefix}ticks`)
subscriber.on('message', (_channel, message) => {
  const ticks: Tick[] = JSON.parse(message)
  for (const { symbol, price, size } of ticks) {
    const payload = { data: { ticks: { symbol, price, size } } }
    for (const [socket, id] of subscriptions) socket.send(JSON.stringify({ id, type: 'next', payload }))
  }
})

const STORE = `WITH given AS (SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int8[], $4::text[], $5::float8[], $6::float8[],
    $7::timestamptz[]) AS t(${TICK_COLUMNS})),
  stored AS (INSERT INTO stock_data (${TICK_COLUMNS}) SELECT * FROM given ON CONFLICT DO NOTHING)
  INSERT INTO quotes AS q (symbol, time, seq, price, size, source)
  SELECT DISTINCT ON (symbol) symbol, time, seq, price, size, source FROM given ORDER BY symbol, time DESC, seq DESC
  ON CONFLICT (symbol) DO UPDATE SET time = EXCLUDED.time, seq = EXCLUDED.seq, price = EXCLUDED.price, size = EXCLUDED.size`
const publisher = new Redis(redisUrl)
let waiting: Tick[] = []
let storing: Promise<void> | undefined

async function storeAndTell(): Promise<void> {
  // What the other partitions of the same fetch have comes along.
  await new Promise(setImmediate)
  const ticks = waiting
  waiting = []
  storing = undefined
  const column = (of: (tick: Tick) => unknown) => ticks.map(of)
  const time = (ms: number) => new Date(ms).toISOString()
  await database.query({
    name: 'store',
    text: STORE,
    values: [
      column(({ symbol }) => symbol),
      column(({ eventTimeMs }) => time(eventTimeMs)),
      column(({ seq }) => seq),
      column(({ source }) => source),
      column(({ price }) => price),
      column(({ size }) => size),
      column(({ ingestTimeMs }) => time(ingestTimeMs)),
    ],
  })
  await publisher.publish(`${prefix}ticks`, JSON.stringify(ticks))
}

const codec = await openCodec(registry ? new ConfluentSchemaRegistry({ url: registry }) : new MemorySchemaRegistry())
consumer = await bareConsumer(brokers, `${prefix}chain`, `${prefix}stock-data`, async ({ batch }) => {
  for (const { value } of batch.messages) waiting.push(codec.decode('stock-data', value))
  storing ??= storeAndTell()
  await storing
})

process.send?.((wss.address() as AddressInfo).port)
