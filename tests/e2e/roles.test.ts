import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectExact } from '../support/expect-exact.ts'
import { anArticle } from '../support/facts.ts'
import { query, subscribe } from '../support/graphql.ts'
import { metric, type PlatformProcess, startPlatform } from '../support/platform-process.ts'
import { openRoles, type PlatformRoles, realBackends } from '../support/platform-roles.ts'
import { printsOf } from '../support/recomputation.ts'
import { storedTicks } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'

const seconds = (count: number) => ({ timeout: count * 1_000, interval: 50 })

const TICKS = `subscription { ticks(symbols: ["SPY", "BAC"]) { symbol price size eventTime } }`
interface Told {
  ticks: { symbol: string; price: number; size: number; eventTime: string }
}

const codes = (errors: readonly unknown[] = []) =>
  errors.map((error) => (error as { extensions?: { code?: string } }).extensions?.code)

const handled = (platform: PlatformProcess, processor: string) =>
  metric(platform, `processor_records_total{processor="${processor}"}`)

/** What the tape's ingest reported when everything was stored. */
async function summaryOf(ingest: PlatformProcess): Promise<unknown> {
  expect(await ingest.exited, ingest.stderr().slice(-2_000)).toBe(0)
  return JSON.parse(ingest.stdout().trim().split('\n').at(-1) ?? '')
}

async function killHard(platform: PlatformProcess): Promise<void> {
  platform.child.kill('SIGKILL')
  await platform.exited
}

describe('a role by itself', () => {
  test.each([
    [['ingest'], ['KAFKA_BROKERS', 'DATABASE_URL']],
    [['processor'], ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL']],
    [
      ['subgraph', 'news'],
      ['DATABASE_URL', 'REDIS_URL'],
    ],
    [['gateway'], ['MARKET_SUBGRAPH_URL', 'NEWS_SUBGRAPH_URL']],
  ])('%j says at once which backends it lacks', async (role, variables) => {
    await using platform = await startPlatform(role)
    expect(await platform.exited).toBe(1)
    for (const variable of variables) expect(platform.stderr()).toMatch(new RegExp(`^  ${variable}: must be set`, 'm'))
    expect(platform.stderr().trim().split('\n')).toHaveLength(1 + variables.length)
  })

  test('a subgraph without a name says which there are', async () => {
    await using platform = await startPlatform(['subgraph'])
    expect(await platform.exited).toBe(1)
    expect(platform.stderr()).toMatch(/^Role subgraph needs to know which; there is market, news$/m)
  })
})

const backends = realBackends

if (backends)
  describe('seven roles in seven processes on Kafka and Redis', () => {
    // 1 s apart at 40 × speed, after a first row long enough before them for a subscriber to be there.
    const rows = walk(200, 1_000)
    const tape = writeTape([{ ...rows[0], symbol: 'IBM', timeMs: rows[0].timeMs - 400_000 }, ...rows])
    let roles: PlatformRoles
    let world: Record<'ingest' | 'ticks' | 'bars' | 'articles' | 'market' | 'news' | 'gateway', PlatformProcess>
    beforeAll(async () => {
      roles = await openRoles(backends())
      const [ticks, bars, articles, edge] = await Promise.all([
        roles.start(['processor', 'ticks']),
        roles.start(['processor', 'bars']),
        roles.start(['processor', 'news']),
        roles.startEdge(),
      ])
      world = {
        ticks,
        bars,
        articles,
        ...edge,
        ingest: await roles.start(['ingest', '--replay', tape, '--speed', '40']),
      }
    })
    afterAll(() => roles[Symbol.asyncDispose]())

    /** The gateway has passed the subscription on, and the subgraph listens. */
    const listening = (subgraph: PlatformProcess) =>
      expect.poll(() => metric(subgraph, 'pubsub_listeners{channel="tick"}'), seconds(20)).toBe(2)

    test('a subscriber of the gateway sees every tick of a slow tape in order', async () => {
      using ticks = subscribe<Told>(world.gateway.url, TICKS)
      await listening(world.market)
      await expect.poll(() => ticks.events.length, seconds(40)).toBe(200)
      const told = ticks.events.map(({ ticks: { eventTime, ...tick } }) => ({ timeMs: Date.parse(eventTime), ...tick }))
      for (const symbol of ['SPY', 'BAC'])
        expect(told.filter((tick) => tick.symbol === symbol)).toEqual(rows.filter((row) => row.symbol === symbol))
      expect(ticks.errors).toEqual([])
    })

    test('each role answers /live, /ready and /metrics', async () => {
      const checks = async (platform: PlatformProcess) => {
        expect(await (await fetch(`${platform.origin}/live`)).json()).toEqual({ status: 'live' })
        expect(await (await fetch(`${platform.origin}/metrics`)).text()).toMatch(/^process_cpu_seconds_total /m)
        const ready = (await (await fetch(`${platform.origin}/ready`)).json()) as { status: string; checks: object }
        expect(ready.status).toBe('ready')
        return Object.keys(ready.checks).sort()
      }
      expect(await checks(world.ingest)).toEqual(['bus', 'store'])
      expect(await checks(world.ticks)).toEqual(['bus', 'pubsub', 'store'])
      expect(await checks(world.bars)).toEqual(['bus', 'pubsub', 'store'])
      for (const platform of [world.market, world.news]) expect(await checks(platform)).toEqual(['pubsub', 'store'])
      expect(await checks(world.gateway)).toEqual(['subgraph market', 'subgraph news'])
    })

    test('an article on its topic reaches a subscriber, with what two subgraphs know', async () => {
      using told = subscribe(
        world.gateway.url,
        'subscription { articles(symbols: ["SPY"]) { headline instruments { symbol quote { symbol } } } }',
      )
      await expect.poll(() => metric(world.news, 'pubsub_listeners{channel="article"}'), seconds(20)).toBe(1)
      await roles.tell({ topic: 'news-data', event: anArticle({ headline: 'News', symbols: ['SPY'] }) })
      const article = { headline: 'News', instruments: [{ symbol: 'SPY', quote: { symbol: 'SPY' } }] }
      await expect.poll(() => told.events, seconds(30)).toEqual([{ articles: article }])
      const text = '{ instrument(symbol: "SPY") { symbol news { edges { node { headline } } } } }'
      expect(await query(world.gateway.url, text)).toEqual({
        data: { instrument: { symbol: 'SPY', news: { edges: [{ node: { headline: 'News' } }] } } },
      })
    })

    test('who is watched is known to sources, in whichever process', async () => {
      using _ticks = subscribe<Told>(world.gateway.url, TICKS)
      const watched = () =>
        roles.stored.rows('SELECT symbol, sum(watchers)::int FROM symbol_interest GROUP BY symbol ORDER BY symbol')
      await expect.poll(watched, seconds(30)).toEqual([
        ['BAC', 1],
        ['SPY', 1],
      ])
    })

    test('clients of a subgraph that was killed get SUBGRAPH_UNAVAILABLE, until it runs again', async () => {
      const ASK = '{ instrument(symbol: "SPY") { symbol } }'
      using before = subscribe<Told>(world.gateway.url, TICKS)
      await listening(world.market)
      await killHard(world.market)
      await before.ended
      expect(codes(before.errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])
      expect(codes((await query(world.gateway.url, ASK)).errors)).toEqual(['SUBGRAPH_UNAVAILABLE'])

      const { port } = new URL(world.market.origin)
      world.market = await roles.start(['subgraph', 'market'], { PORT: port })
      expect(await query(world.gateway.url, ASK)).toEqual({ data: { instrument: { symbol: 'SPY' } } })
      using after = subscribe<Told>(world.gateway.url, TICKS)
      await listening(world.market)
      const simulated = await roles.start(['ingest'])
      await expect.poll(() => after.events.length, seconds(30)).toBeGreaterThan(0)
      simulated.child.kill('SIGTERM')
      expect(await simulated.exited).toBe(0)
    })

    test('SIGTERM ends each role with 0', async () => {
      for (const platform of Object.values(world)) platform.child.kill('SIGTERM')
      const exits = Object.entries(world).map(async ([role, { exited }]) => [role, await exited])
      expect(await Promise.all(exits)).toEqual(Object.keys(world).map((role) => [role, 0]))
    })
  })

if (backends)
  describe('processors on Kafka and Redis', () => {
    const play = (roles: PlatformRoles, tape: string, speed = 150) =>
      roles.start(['ingest', '--replay', tape, '--speed', String(speed), '--exit-when-done', '--summary', 'json'])

    test('that are killed and started again lose nothing and double nothing', async () => {
      const tape = writeTape(walk(60_000, 20, ['SPY', 'BAC', 'AIG', 'IBM']), 'killed.csv')
      await using roles = await openRoles(backends())
      const start = () => Promise.all([roles.start(['processor', 'ticks']), roles.start(['processor', 'bars'])])
      const [ticks, bars] = await start()
      const ingest = await play(roles, tape)
      await expect.poll(() => handled(ticks, 'ticks'), seconds(30)).toBeGreaterThan(5_000)
      await killHard(ticks)
      await expect.poll(() => handled(bars, 'bars'), seconds(30)).toBeGreaterThan(5_000)
      await killHard(bars)
      expect((await storedTicks(roles.stored)).length).toBeLessThan(60_000)
      await start()
      expect(await summaryOf(ingest)).toMatchObject({ read: 60_000, stored: 60_000, rejected: 0 })
      await expectExact(roles.stored, printsOf(tape))
    })

    test('that are joined by a second one share the work with it', async () => {
      const symbols = Array.from({ length: 40 }, (_, i) => `SHARED.${i}`)
      const tape = writeTape(walk(60_000, 20, symbols), 'shared.csv')
      await using roles = await openRoles(backends())
      const first = await roles.start(['processor', 'ticks'])
      // 24 s: the second one has to be there before the end, also on a busy machine.
      const ingest = await play(roles, tape, 50)
      await expect.poll(() => handled(first, 'ticks'), seconds(30)).toBeGreaterThan(0)
      const second = await roles.start(['processor', 'ticks'])
      await expect.poll(() => handled(second, 'ticks'), seconds(30)).toBeGreaterThan(0)
      const before = await handled(first, 'ticks')
      await expect.poll(() => handled(first, 'ticks'), seconds(30)).toBeGreaterThan(before)
      expect(await summaryOf(ingest)).toMatchObject({ read: 60_000, stored: 60_000, rejected: 0 })
      expect(await storedTicks(roles.stored)).toEqual(
        printsOf(tape).map(({ symbol, timeMs, price, size }) => `${symbol}|${timeMs}|${price}|${size}`),
      )
    })
  })
