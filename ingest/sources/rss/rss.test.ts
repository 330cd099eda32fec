import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { systemClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { withOtherTypes } from '../../../tests/support/vendors/faults.ts'
import { MemoryQuotas } from '../../../tests/support/vendors/memory-quotas.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { VendorServer } from '../../../tests/support/vendors/vendor-server.ts'
import type { PolledCheckpoint } from '../../polling/feed-progress.ts'
import type { SourceBatch } from '../../source.ts'
import { KNOWN_FEEDS, ownFeeds } from './known-feeds.ts'
import { type FeedContext, parseFeed } from './parse.ts'
import { rss } from './rss.ts'

const wire = readFileSync(new URL('payloads/wire.xml', import.meta.url))
const halts = readFileSync(new URL('payloads/halts.xml', import.meta.url))
const receivedAtMs = Date.parse('2026-11-20T22:00:00Z')
const context: FeedContext = { publisher: 'Wire', kind: 'PRESS_RELEASE', symbolsIn: () => [], receivedAtMs }

test('a press release has the symbols it is listed for in the US, plain text, and its page without trackers', () => {
  expect(parseFeed(wire, context)).toMatchObject({
    rejects: [],
    facts: [
      {
        kind: 'PRESS_RELEASE',
        headline: 'Smith & Acme: margin < 5%',
        summary: 'NEW YORK, Nov. 20 & more',
        url: 'https://www.globenewswire.com/news-release/2026/11/20/1/0/en/Acme.html',
        publishedAtMs: Date.parse('2026-11-20T21:05:00Z'),
        symbols: ['ACME'],
        licence: 'PERSONAL',
      },
      { headline: 'Two & a half', publishedAtMs: Date.parse('2026-11-20T21:05:00Z'), symbols: [] },
    ],
  })
})

test('a halt says in words why, and its end is news of its own', () => {
  expect(parseFeed(halts, context)).toMatchObject({
    rejects: [],
    facts: [
      {
        kind: 'TRADING_HALT',
        headline: 'ACME halted: news pending (T1)',
        symbols: ['ACME'],
        publishedAtMs: Date.parse('2026-11-20T15:11:12Z'),
      },
      {
        id: expect.stringMatching(/^rss:halt:OTHR:\d+:resumes$/),
        headline: 'OTHR to resume trading at 09:50:01 ET: volatility pause (LUDP)',
      },
    ],
  })
})

test('Atom is read as RSS is, and an item that is wrong is put aside alone', () => {
  const atom = Buffer.from(`<feed xmlns="http://www.w3.org/2005/Atom">
    <entry><title>One</title><link rel="self" href="https://a.example/feed"/><link href="https://a.example/1"/>
      <updated>2026-11-20T16:00:00-05:00</updated></entry>
    <entry><title>Two</title><link href="javascript:alert(1)"/></entry>
    <entry><title>Three</title><link href="https://a.example/3"/><updated>soon</updated></entry></feed>`)
  const { facts, rejects } = parseFeed(atom, context)
  expect(facts).toMatchObject([{ url: 'https://a.example/1', publishedAtMs: Date.parse('2026-11-20T21:00:00Z') }])
  expect(rejects.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('item[1]: Expected an http or https address'),
    expect.stringContaining('item[2]: the date must be like'),
  ])
})

test.each([
  ['news', wire],
  ['halts', halts],
])('no %s, however mangled, make the parser break its promises', (_what, payload) => {
  expectParserPromises(payload, (body) => parseFeed(body, context), article)
})

test('only https addresses are read for the operator', () => {
  expect(ownFeeds(' https://blog.example/feed.xml,')).toMatchObject([{ publisher: 'blog.example', kind: 'NEWS' }])
  expect(() => ownFeeds('file:///etc/passwd')).toThrow('RSS_FEEDS must be https addresses')
})

test('a feed that has not changed since is not sent again, also after a restart', async () => {
  const conditions: (string | undefined)[] = []
  await using server = await VendorServer.start({
    answer: ({ headers }) => {
      const condition = headers['if-none-match']
      conditions.push(condition)
      return { headers: { etag: '"v1"' }, ...(condition === '"v1"' ? { status: 304, body: '' } : { body: wire }) }
    },
  })
  const first = reading(server.url)
  await expect.poll(() => read(first.batches).length).toBe(KNOWN_FEEDS.length)
  await first.stop()
  const feeds = read(first.batches).map(([name, progress]) => [name, { ...progress, askedMs: 0 }])
  conditions.length = 0
  const second = reading(server.url, { feeds: Object.fromEntries(feeds) })
  await expect.poll(() => conditions.length).toBe(KNOWN_FEEDS.length)
  await second.stop()
  expect(new Set(conditions)).toEqual(new Set(['"v1"']))
  expect(second.batches.flatMap(({ facts }) => facts ?? [])).toEqual([])
})

test('a feed of which nothing could be read is sent again, though it has not changed since', async () => {
  let isMangled = true
  const etag = '"v1"'
  await using server = await VendorServer.start({
    answer: ({ headers }) => {
      if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
      return { headers: { etag }, body: isMangled ? withOtherTypes(wire.toString()) : wire }
    },
  })
  const first = reading(server.url)
  await expect.poll(() => first.batches.flatMap(({ rejects }) => rejects).length).toBe(2 * KNOWN_FEEDS.length)
  await first.stop()
  expect(read(first.batches)).toEqual([])
  isMangled = false
  const second = reading(server.url, first.batches.at(-1)?.checkpoint)
  await expect.poll(() => second.batches.flatMap(({ facts }) => facts ?? []).length).toBe(2 * KNOWN_FEEDS.length)
  await second.stop()
})

/** The feeds that have answered, as the newest checkpoint has them. */
const read = (batches: readonly SourceBatch<PolledCheckpoint>[]) =>
  Object.entries(batches.at(-1)?.checkpoint.feeds ?? {}).filter(([, { cursor }]) => cursor !== undefined)

function reading(http: string, from?: PolledCheckpoint) {
  const source = rss.open({
    settings: { variables: {}, symbols: [], urls: { rss: { http } } },
    clock: systemClock,
    log: silentLog,
    metrics: openMetrics(),
    quotas: new MemoryQuotas(),
    interest: { current: () => new Map() },
    tellsUsTrades: false,
    describe: async () => {},
    tellPlan: () => {},
    tellTrouble: () => {},
    tellLack: () => {},
  })
  const end = new AbortController()
  const batches: SourceBatch<PolledCheckpoint>[] = []
  const done = (async () => {
    for await (const batch of source.read(from, end.signal)) batches.push(batch as SourceBatch<PolledCheckpoint>)
  })()
  const stop = async () => {
    end.abort()
    await done
  }
  return { batches, stop }
}
