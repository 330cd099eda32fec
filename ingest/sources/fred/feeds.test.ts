import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { FeedCursor } from '../../polling/feed.ts'
import { FredClient, GraphClient, PAGES_MAX } from './client.ts'
import { fredFeeds } from './feeds.ts'
import { GRAPH_EVERY_MS, graphFeed, REMEMBERED_MAX } from './graph.ts'
import { KNOWN_SERIES } from './known-series.ts'

const NOW_MS = Date.parse('2026-11-23T16:00:00Z')
const DAY_MS = 86_400_000
const never = new AbortController().signal
const payload = (name: string) => readFileSync(new URL(`payloads/${name}`, import.meta.url))

function world(seriesIds = ['UNRATE', 'DGS10'], updates: () => Buffer = () => payload('updates.json')) {
  const clock = new ManualClock(NOW_MS)
  const answers: Readonly<Record<string, () => Buffer>> = {
    '/series': () => payload('series-unrate.json'),
    '/series/observations': () => payload('observations.json'),
    '/series/updates': updates,
    '/releases/dates': () => payload('releases-dates.json'),
  }
  const http = toldHttp(({ path }) => answers[path](), clock.now)
  const feeds = fredFeeds({ client: new FredClient(http), seriesIds, now: clock.now })
  const named = (name: string) => {
    const feed = feeds.find((each) => each.name === name)
    if (!feed) throw new Error(`there is no feed ${name}`)
    return feed
  }
  return { clock, http, named }
}

describe('a series', () => {
  test('is due when it has changed, and else once a day', async () => {
    const { clock, named } = world()
    const dgs10 = named('series:DGS10')
    expect(dgs10.dueMs(NOW_MS, undefined)).toBe(NOW_MS)
    expect(dgs10.dueMs(NOW_MS, NOW_MS)).toBe(NOW_MS + DAY_MS)
    await named('updates').ask(undefined, never)
    await clock.advance(1_000)
    expect(dgs10.dueMs(clock.now(), NOW_MS)).toBe(clock.now())
    expect(named('series:UNRATE').dueMs(clock.now(), NOW_MS)).toBe(NOW_MS + DAY_MS)
  })

  test('is asked for its history first, and then for what became known since the day before it was read', async () => {
    const { http, named, clock } = world()
    const first = await named('series:UNRATE').ask(undefined, never)
    expect(first.facts).toHaveLength(4)
    await clock.advance(3 * DAY_MS)
    await named('series:UNRATE').ask(first.cursor, never)
    const spans = http.asked
      .filter(({ path }) => path === '/series/observations')
      .map(({ query }) => [query?.realtime_start, query?.observation_start, query?.realtime_end])
    expect(spans).toEqual([
      ['2006-11-23', '2006-11-23', '9999-12-31'],
      ['2026-11-22', '2006-11-26', '9999-12-31'],
    ])
  })

  test('is no longer changed once it was asked for', async () => {
    const { named } = world(['UNRATE'], () =>
      Buffer.from(payload('updates.json').toString().replace('DGS10', 'UNRATE')),
    )
    await named('updates').ask(undefined, never)
    const unrate = named('series:UNRATE')
    expect(unrate.dueMs(NOW_MS + 1, NOW_MS)).toBe(NOW_MS + 1)
    await unrate.ask(undefined, never)
    expect(unrate.dueMs(NOW_MS + 1, NOW_MS)).toBe(NOW_MS + DAY_MS)
  })
})

describe('the list of updates', () => {
  test('is asked for from where it was read to, by the clock of St. Louis', async () => {
    const { http, named, clock } = world()
    const { cursor } = await named('updates').ask(undefined, never)
    await clock.advance(120_000)
    await named('updates').ask(cursor, never)
    expect(http.asked.map(({ query }) => [query?.start_time, query?.end_time])).toEqual([
      ['202611230945', '202611231000'],
      ['202611230945', '202611231002'],
    ])
  })

  test('never goes back further than FRED does', async () => {
    const { http, named } = world()
    await named('updates').ask({ untilMs: NOW_MS - 60 * DAY_MS }, never)
    expect(http.asked[0]?.query?.start_time).toBe('202611101000')
  })

  test('remembers over a restart which series have changed and were not asked for yet', async () => {
    const before = world()
    const { cursor } = await before.named('updates').ask(undefined, never)
    const after = world(['UNRATE', 'DGS10'], () => Buffer.from('{"seriess":[],"count":0}'))
    await after.named('updates').ask(cursor, never)
    expect(after.named('series:DGS10').dueMs(NOW_MS + 1, NOW_MS)).toBe(NOW_MS + 1)
  })

  test('of which something cannot be read has every followed series asked for', async () => {
    const { named } = world(['UNRATE', 'DGS10'], () =>
      Buffer.from(
        payload('updates.json')
          .toString()
          .replaceAll(/"id": "\w+"/g, '"id": null'),
      ),
    )
    const { rejects } = await named('updates').ask(undefined, never)
    expect(rejects).toHaveLength(2)
    for (const name of ['series:UNRATE', 'series:DGS10'])
      expect(named(name).dueMs(NOW_MS + 1, NOW_MS), name).toBe(NOW_MS + 1)
  })

  test('that does not end has every followed series asked for', async () => {
    const { seriess } = JSON.parse(payload('updates.json').toString())
    const page = Buffer.from(JSON.stringify({ seriess: Array.from({ length: 1_000 }, () => seriess[1]), count: 9_999 }))
    const { http, named } = world(['UNRATE'], () => page)
    await named('updates').ask(undefined, never)
    expect(http.asked).toHaveLength(PAGES_MAX)
    expect(named('series:UNRATE').dueMs(NOW_MS + 1, NOW_MS)).toBe(NOW_MS + 1)
  })
})

test('releases are asked for from today in St. Louis on', async () => {
  const { http, named } = world()
  const { facts } = await named('releases').ask(undefined, never)
  expect(facts).toHaveLength(4)
  expect(http.asked[0]?.query).toMatchObject({
    realtime_start: '2026-11-23',
    include_release_dates_with_no_data: 'true',
  })
})

describe('a chart without a key', () => {
  const dgs10 = KNOWN_SERIES[0]
  function chart(csv: () => string) {
    const clock = new ManualClock(NOW_MS)
    const http = toldHttp(() => Buffer.from(csv()), clock.now)
    const feed = graphFeed(dgs10, new GraphClient(http), clock.now)
    const told = async (cursor?: FeedCursor) => {
      const answer = await feed.ask(cursor, never)
      const rows = answer.facts.map(({ event }) =>
        'vintage' in event ? `${event.date} ${event.value} ${event.vintage}` : '',
      )
      return { rows, cursor: answer.cursor }
    }
    return { clock, http, feed, told }
  }

  test('is told whole at first, then only what is new or was revised, known from the day it was seen', async () => {
    let csv = 'observation_date,DGS10\n2026-11-19,4.10\n2026-11-20,4.11\n'
    const { clock, http, told } = chart(() => csv)
    const first = await told()
    expect(first.rows).toEqual(['2026-11-19 4.1 2026-11-23', '2026-11-20 4.11 2026-11-23'])
    await clock.advance(DAY_MS)
    csv = 'observation_date,DGS10\n2026-11-19,4.10\n2026-11-20,4.12\n2026-11-23,.\n'
    const second = await told(first.cursor)
    expect(second.rows).toEqual(['2026-11-20 4.12 2026-11-24', '2026-11-23 null 2026-11-24'])
    expect((await told(second.cursor)).rows).toEqual([])
    expect(http.asked.map(({ query }) => query?.cosd)).toEqual(['2021-11-23', '2026-11-19', '2026-11-19'])
  })

  test('whose value is revised on the day on which it was first seen tells it the day after, for a day knows one value', async () => {
    let csv = 'observation_date,DGS10\n2026-11-20,4.11\n'
    const { clock, told } = chart(() => csv)
    const first = await told()
    csv = 'observation_date,DGS10\n2026-11-20,4.12\n'
    const second = await told(first.cursor)
    expect(second.rows).toEqual([])
    await clock.advance(DAY_MS)
    const third = await told(second.cursor)
    expect(third.rows).toEqual(['2026-11-20 4.12 2026-11-24'])
    expect((await told(third.cursor)).rows).toEqual([])
  })

  test.each([
    ['cannot be read', 'observation_date,DGS10\n2026-11-19,"was 4.10"\n2026-11-20,4.11\n'],
    ['is missing', 'observation_date,DGS10\n2026-11-20,4.11\n'],
  ])('of which a row %s for a while takes it for no revision when it is back', async (_what, lacking) => {
    const whole = 'observation_date,DGS10\n2026-11-19,4.10\n2026-11-20,4.11\n'
    let csv = whole
    const { clock, told } = chart(() => csv)
    const first = await told()
    csv = lacking
    const second = await told(first.cursor)
    csv = whole
    await clock.advance(DAY_MS)
    expect((await told(second.cursor)).rows).toEqual([])
  })

  test('is asked for less than once an hour', () => {
    const { feed } = chart(() => '')
    expect(feed.dueMs(NOW_MS, NOW_MS) - NOW_MS).toBe(GRAPH_EVERY_MS)
    expect(GRAPH_EVERY_MS).toBeGreaterThan(3_600_000)
  })

  test('has a memory that does not grow', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, i) => `${new Date(NOW_MS - (300 - i) * DAY_MS).toISOString().slice(0, 10)},4`,
    )
    const { told } = chart(() => `observation_date,DGS10\n${lines.join('\n')}\n`)
    const { cursor } = await told()
    expect(cursor?.remembered).toHaveLength(REMEMBERED_MAX)
  })

  test('that is empty is not forgotten for it', async () => {
    const { told } = chart(() => 'observation_date,DGS10\n')
    const remembered = ['2026-11-20=4.11 2026-11-20']
    expect((await told({ remembered })).cursor).toEqual({ remembered })
  })
})
