import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Named, NameMatcher } from '../../../domain/name-matcher.ts'
import { ManualClock } from '../../../platform/clock.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { FeedCursor } from '../../polling/feed.ts'
import { NewsApiClient } from './client.ts'
import { companyQuery } from './company-query.ts'
import { newsFeeds } from './feeds.ts'

const START_MS = Date.parse('2026-11-23T12:00:00Z')
const DAY_MS = 86_400_000
const never = new AbortController().signal
const everything = readFileSync(new URL('payloads/everything.json', import.meta.url))

const company = (index: number): Named => ({
  symbol: `C${index}`,
  name: `Quixotic Works ${index} Inc.`,
  aliases: [],
})

function world(companies: readonly Named[], requestsPerDay = 100) {
  const clock = new ManualClock(START_MS)
  const http = toldHttp(() => everything, clock.now)
  const client = new NewsApiClient(http)
  const names = new NameMatcher(companies)
  const [all, headlines] = newsFeeds({ client, companies, names, requestsPerDay, now: clock.now })
  const ask = async (cursor: FeedCursor | undefined) => (await all.ask(cursor, never)).cursor
  return { clock, http, all, headlines, ask }
}

test('a query holds as many companies as it may be long, and the next goes on from there', () => {
  const companies = Array.from({ length: 60 }, (_, i) => company(i))
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 500 }), (lengthMax) => {
      const asked: string[] = []
      let first: string | undefined
      for (let round = 0; round < 100; round++) {
        const query = companyQuery(companies, first, lengthMax)
        if (!query) return
        expect(query.text.length).toBeLessThanOrEqual(lengthMax)
        asked.push(...query.text.split(' OR '))
        first = query.next
        if (query.endsRound) break
      }
      expect(new Set(asked).size).toBe(asked.length)
      expect(asked.length).toBe(60)
    }),
  )
})

test('where nobody can be asked about, nothing is asked', async () => {
  const { http, ask } = world([{ symbol: 'X', name: '—', aliases: [] }])
  await ask(undefined)
  expect(http.asked).toEqual([])
})

test('somebody who is gone from the list is no reason to stop', () => {
  expect(companyQuery([company(1)], 'GONE', 500)).toEqual({
    text: '"Quixotic Works 1"',
    next: 'C1',
    endsRound: true,
  })
})

describe('a round over all companies', () => {
  const companies = Array.from({ length: 40 }, (_, i) => ({
    symbol: `C${i}`,
    name: `Quixotic ${i} Works`,
    aliases: [],
  }))

  test('leaves nothing between two looks at a company, however long it takes', async () => {
    const { clock, http, ask } = world(companies)
    let cursor: FeedCursor | undefined
    const lookedAtMs = new Map<string, number>()
    for (let i = 0; i < 12; i++) {
      cursor = await ask(cursor)
      const { q, from } = http.asked.at(-1)?.query ?? {}
      const fromMs = Date.parse(`${from}Z`)
      for (const name of String(q).split(' OR ')) {
        // What was published by then was told a day later, which was after the look.
        const before = lookedAtMs.get(name)
        if (before !== undefined) expect(fromMs).toBeLessThanOrEqual(before - DAY_MS)
        lookedAtMs.set(name, clock.now())
      }
      await clock.advance(20 * 60_000)
    }
    expect(lookedAtMs.size).toBe(40)
  })

  test('never asks for more than a month back', async () => {
    const { http, ask } = world(companies)
    await ask({ next: 'C1', roundBeforeMs: START_MS - 100 * DAY_MS })
    expect(http.asked[0]?.query?.from).toBe('2026-10-26T12:00:00')
  })
})

test('both feeds together stay within a developer’s day, and use most of it', () => {
  const { all, headlines } = world([company(1)])
  const everyMs = [all, headlines].map((feed) => feed.dueMs(START_MS, START_MS) - START_MS)
  const perDay = everyMs.reduce((sum, ms) => sum + DAY_MS / ms, 0)
  expect(perDay).toBeLessThanOrEqual(100)
  expect(perDay).toBeGreaterThan(90)
})

test('what was put aside is read again as what it is', () => {
  const { all } = world([company(1)])
  expect(all.reparse(everything).facts).toHaveLength(3)
})
