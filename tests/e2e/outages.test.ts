import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectExact } from '../support/expect-exact.ts'
import { query, subscribe } from '../support/graphql.ts'
import { mayStartKafka, ownKafka, ownKafkaPort } from '../support/kafka-dev.ts'
import { metric, type PlatformProcess, startPlatform, temporaryDataDir } from '../support/platform-process.ts'
import { postgresOwner } from '../support/postgres-owner-process.ts'
import { printsOf } from '../support/recomputation.ts'
import { RedisServer } from '../support/redis-server.ts'
import { openStored } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'

const seconds = (count: number) => ({ timeout: count * 1_000, interval: 50 })

interface LogLine {
  readonly level: number
  readonly msg: string
}

describe('a backend that cannot be reached at the start', () => {
  test.each([
    ['Kafka', { KAFKA_BROKERS: '127.0.0.1:1' }, /Kafka at 127\.0\.0\.1:1 could not be reached/],
    ['Redis', { REDIS_URL: 'redis://:hush@127.0.0.1:1' }, /Redis at 127\.0\.0\.1:1 cannot be reached/],
    ['PostgreSQL', { DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/ticks' }, /PostgreSQL at 127\.0\.0\.1:1\/ticks/],
    [
      'the schema registry',
      { SCHEMA_REGISTRY_URL: 'http://me:hush@127.0.0.1:1' },
      /registry at http:\/\/127\.0\.0\.1:1/,
    ],
  ] as [string, Record<string, string>, RegExp][])(
    '%s ends the process with one sentence',
    async (_name, at, sentence) => {
      await using platform = await startPlatform([], at)
      expect(await platform.exited).toBe(1)
      const lines = platform.stderr().trim().split('\n')
      const fatal = lines.map((line) => JSON.parse(line) as LogLine).filter(({ level }) => level >= 60)
      expect(fatal.map(({ msg }) => msg)).toEqual([expect.stringMatching(sentence)])
      expect(platform.stderr()).not.toMatch(/\\n\s+at |hush/)
    },
  )
})

interface Outage {
  readonly environment: Readonly<Record<string, string>>
  readonly away: () => Promise<unknown>
  readonly back: () => Promise<unknown>
  readonly end: () => Promise<unknown>
}

/** Its embedded PostgreSQL does not come back by itself: who runs it is killed too. */
async function postgresOutage(): Promise<Outage> {
  const dataDir = await temporaryDataDir()
  let owner = await postgresOwner(dataDir)
  const away = async () => {
    owner.child.kill('SIGKILL')
    await once(owner.child, 'exit')
    process.kill(owner.pid, 'SIGKILL')
  }
  return {
    environment: { DATABASE_URL: owner.url },
    away,
    back: async () => {
      owner = await postgresOwner(dataDir)
    },
    end: async () => {
      await away()
      await rm(dirname(dataDir), { recursive: true, force: true, maxRetries: 20 })
    },
  }
}

async function redisOutage(): Promise<Outage> {
  const redis = await (await RedisServer.on()).start()
  return {
    environment: { REDIS_URL: redis.url },
    away: () => redis.kill(),
    back: () => redis.start(),
    end: () => redis.kill(),
  }
}

async function kafkaOutage(): Promise<Outage> {
  const broker = await ownKafka('outages')
  return {
    environment: { KAFKA_BROKERS: `127.0.0.1:${ownKafkaPort('outages')}` },
    away: () => broker('stop'),
    back: () => broker('start'),
    end: () => broker('wipe'),
  }
}

interface Awaited {
  readonly check: string
  readonly reason: RegExp
  readonly open: () => Promise<Outage>
  /** The code of a query and of a new subscription meanwhile; none where they are answered. */
  readonly queryCode?: string
  readonly subscriptionCode?: string
}

const outages: [name: string, Awaited][] = [
  [
    'PostgreSQL',
    {
      check: 'store',
      reason: /PostgreSQL at 127\.0\.0\.1:\d+\/investor_updates cannot be used now/,
      open: postgresOutage,
      queryCode: 'STORE_UNAVAILABLE',
      subscriptionCode: 'STORE_UNAVAILABLE',
    },
  ],
]
// It starts servers of its own, so it is enough to know that there are some.
if (process.env.REDIS_URL || process.env.REDIS_SERVER_BIN)
  outages.push([
    'Redis',
    {
      check: 'pubsub',
      reason: /Redis at 127\.0\.0\.1:\d+ cannot be reached/,
      open: redisOutage,
      subscriptionCode: 'PUBSUB_UNAVAILABLE',
    },
  ])
if (mayStartKafka)
  outages.push(['Kafka', { check: 'bus', reason: /Kafka at 127\.0\.0\.1:\d+ could not/, open: kafkaOutage }])

const ROWS = 30_000
const QUOTE = '{ quotes(symbols: ["SPY"]) { price } }'
const TICKS = 'subscription { ticks(symbols: ["SPY"]) { price } }'
const STORED = 'processor_records_total{processor="ticks"}'

describe.each(outages)('while %s is away', (_name, { check, reason, open, queryCode, subscriptionCode }) => {
  // 1,500 ticks/s for 20 s.
  const tape = writeTape(walk(ROWS, 20, ['SPY', 'BAC', 'AIG']))
  const opened = new AsyncDisposableStack()
  let outage: Outage
  let platform: PlatformProcess
  let before: ReturnType<typeof subscribe>
  const readiness = async () => {
    const answer = await fetch(`${platform.origin}/ready`)
    return { status: answer.status, checks: ((await answer.json()) as { checks: Record<string, object> }).checks }
  }
  const answered = async () => {
    const { errors = [] } = await query(platform.url, QUOTE)
    return errors.map(({ message, extensions }) => ({ code: extensions?.code, message }))
  }

  beforeAll(async () => {
    outage = await open()
    opened.defer(async () => void (await outage.end()))
    const args = ['--replay', tape, '--speed', '30', '--summary', 'json']
    platform = opened.use(await startPlatform(args, outage.environment))
    await platform.ready()
    await vi.waitFor(async () => expect(await metric(platform, STORED)).toBeGreaterThan(1_500), seconds(30))
    before = opened.use(subscribe(platform.url, TICKS))
    await vi.waitFor(() => expect(before.events.length).toBeGreaterThan(0), seconds(20))
    await outage.away()
  })
  // What stands still says so in its log or in its counters, if anywhere.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    const metrics = await fetch(`${platform.origin}/metrics`).then((answer) => answer.text(), String)
    const counted = metrics.split('\n').filter((line) => /^(bus|processor|ingest|outbox)_/.test(line))
    process.stderr.write(`What the platform said until then:\n${platform.stderr()}\n${counted.join('\n')}\n`)
  })
  afterAll(() => opened.disposeAsync())

  test('/ready answers 503 and says which check fails and why', async () => {
    await expect
      .poll(readiness, seconds(15))
      .toMatchObject({ status: 503, checks: { [check]: { ok: false, reason: expect.stringMatching(reason) } } })
    expect((await fetch(`${platform.origin}/live`)).status).toBe(200)
  })

  test(queryCode ? 'a query gets a code and a sentence that tells no address' : 'queries are answered', async () => {
    const code = queryCode
    const errors = await answered()
    expect(errors.map((error) => error.code)).toEqual(code ? [code] : [])
    expect(JSON.stringify(errors)).not.toMatch(/127\.0\.0\.1|ECONN|SELECT/)
  })

  if (subscriptionCode)
    test('a new subscription gets a code and a sentence that tells no address', async () => {
      // To what nobody listens to yet: who joins a listener that is there waits with it.
      using late = subscribe(platform.url, 'subscription { ticks(symbols: ["AAPL"]) { price } }')
      await late.ended
      expect(late.errors).toMatchObject([{ extensions: { code: subscriptionCode } }])
      expect(JSON.stringify(late.errors)).not.toMatch(/127\.0\.0\.1|ECONN|SELECT/)
    })

  test('nobody restarts anything, and once it is back all is well', async () => {
    expect(await metric(platform, STORED)).toBeLessThan(ROWS)
    await outage.back()
    await expect.poll(readiness, seconds(30)).toMatchObject({ status: 200 })
    expect(await answered()).toEqual([])
    const heard = before.events.length
    await expect.poll(() => before.events.length, seconds(40)).toBeGreaterThan(heard)
  })

  test('nothing was lost and nothing doubled', async () => {
    await expect.poll(() => platform.stdout(), seconds(60)).toContain('"stored"')
    expect(JSON.parse(platform.stdout().trim().split('\n').at(-1) ?? '')).toMatchObject({ read: ROWS, stored: ROWS })
    platform.child.kill('SIGTERM')
    expect(await platform.exited).toBe(0)
    await using stored = await openStored(platform.dataDir, outage.environment.DATABASE_URL)
    await expectExact(stored, printsOf(tape))
  })
})

test('an embedded PostgreSQL that is killed is brought back, and nothing is lost or doubled', async () => {
  const tape = writeTape(walk(ROWS, 20, ['SPY', 'BAC', 'AIG']))
  await using platform = await startPlatform(['--replay', tape, '--speed', '60', '--exit-when-done'])
  await platform.ready()
  await expect.poll(() => metric(platform, STORED), seconds(30)).toBeGreaterThan(1_500)
  const [pid] = readFileSync(join(platform.dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGKILL')
  await expect.poll(() => metric(platform, 'embedded_postgres_restarts_total'), seconds(20)).toBe(1)
  await platform.ready()
  expect(await platform.exited, platform.stderr()).toBe(0)
  await using stored = await openStored(platform.dataDir)
  await expectExact(stored, printsOf(tape))
})
