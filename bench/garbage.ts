import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getHeapSpaceStatistics } from 'node:v8'
import { Redis } from 'ioredis'
import pg from 'pg'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { RedisPublisher } from '../platform/pubsub/redis-publisher.ts'
import { startEmbeddedPostgres } from '../platform/store/embedded-postgres.ts'
import { TimedClient } from '../platform/store/timed-client.ts'
import { Report } from './report.ts'

const ROUNDS = 3
const STATEMENTS = 40_000
const MESSAGES = 200_000
const MESSAGES_AT_ONCE = 20
const TIMEOUT_MS = 15_000
/** The old generation is looked at so often: what a full collection takes away in between was there before. */
const LOOK_EVERY = 200

/** What outlives the work for which it was made: the old generation grows by it until all of it is collected. */
export async function garbage(): Promise<Report> {
  const { REDIS_URL: redis } = process.env
  if (!redis) throw new Error('garbage needs REDIS_URL')
  const report = new Report(
    `growth of the old generation over ${STATEMENTS.toLocaleString('en')} statements and ${MESSAGES.toLocaleString('en')} messages, ${ROUNDS} rounds alternating`,
  )
  const parent = mkdtempSync(join(tmpdir(), 'bench-'))
  chmodSync(parent, 0o755)
  try {
    await using server = await startEmbeddedPostgres({ dataDir: join(parent, 'data'), log: silentLog })
    const config = { connectionString: server.url, query_timeout: TIMEOUT_MS }
    await compare(report, 'statements', {
      'node-postgres': () => statements(new pg.Client(config)),
      ours: () => statements(new TimedClient(config)),
    })
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
  await compare(report, 'messages', {
    'ioredis, pipelining by itself': () => messagesOfIoredis(redis),
    ours: () => messagesOfOurs(redis),
  })
  return report
}

async function compare(report: Report, what: string, ways: Record<string, () => Promise<number>>): Promise<void> {
  const grown = Object.keys(ways).map(() => [] as number[])
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, way] of Object.values(ways).entries()) grown[i].push(await way())
  const [peer, ours] = Object.keys(ways).map((name, i) => report.figure(`${what}: ${name}`, 'MB', grown[i]))
  report.ratio(`${what}: ours / ${Object.keys(ways)[0]}`, ours / peer)
}

async function statements(client: pg.Client): Promise<number> {
  await client.connect()
  const values = [Array.from({ length: 10 }, (_, i) => `SYM${i}`), Array.from({ length: 10 }, (_, i) => i / 7)]
  try {
    return await growth(STATEMENTS, () =>
      client.query({ name: 'bench', text: 'SELECT count(*) FROM unnest($1::text[], $2::float8[])', values }),
    )
  } finally {
    await client.end()
  }
}

async function messagesOfIoredis(url: string): Promise<number> {
  const redis = new Redis(url, { enableAutoPipelining: true, commandTimeout: TIMEOUT_MS })
  try {
    return await growth(MESSAGES / MESSAGES_AT_ONCE, (i) =>
      Promise.all(messagesOf(i).map((message) => redis.publish('bench-garbage', message))),
    )
  } finally {
    redis.disconnect()
  }
}

async function messagesOfOurs(url: string): Promise<number> {
  await using publisher = new RedisPublisher({ url, metrics: openMetrics(), log: silentLog })
  await publisher.reach()
  return await growth(MESSAGES / MESSAGES_AT_ONCE, (i) =>
    Promise.all(messagesOf(i).map((message) => publisher.publish('bench-garbage', message))),
  )
}

const messagesOf = (turn: number): string[] =>
  Array.from({ length: MESSAGES_AT_ONCE }, (_, i) => `message ${turn} ${i} ${'x'.repeat(200)}`)

/** In megabytes. */
async function growth(turns: number, work: (turn: number) => Promise<unknown>): Promise<number> {
  for (let turn = 0; turn < turns / 20; turn++) await work(turn)
  globalThis.gc?.()
  let grown = 0
  let before = oldBytes()
  for (let turn = 0; turn < turns; turn++) {
    await work(turn)
    if (turn % LOOK_EVERY > 0) continue
    const now = oldBytes()
    grown += Math.max(0, now - before)
    before = now
  }
  return grown / 1e6
}

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0
