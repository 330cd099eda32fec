import type { Observation } from '../../../domain/observation.ts'
import type { VendorSource } from '../../catalogue.ts'
import { localDate, NEW_YORK } from '../../exchange-clock.ts'
import type { ItemReject } from '../../json-answer.ts'
import { textIn } from '../../polling/cursor-values.ts'
import { factsOn, isUnread } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { every } from '../../polling/rhythm.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, TreasuryClient } from './client.ts'
import { NAME, parseParYields } from './parse.ts'

const HOUR_MS = 3_600_000

/** The yield curve of U.S. Treasuries: this year and the one before, then each working day's. */
export const usTreasury: VendorSource = {
  name: NAME,
  needs: [],
  open(context) {
    // It publishes no limit; this is politeness.
    const windows = [{ kind: 'sliding', requests: 10, perMs: 60_000 }] as const
    const { quota, http } = openVendorAccess(context, { name: NAME, baseUrl: BASE_URL, windows })
    const feeds = [yieldsFeed(new TreasuryClient(http), context.clock.now)]
    return polledSource({ name: NAME, context, quota, feedsOf: () => feeds })
  },
}

/** First the year before, then this one; from then on the month, and the one before while it is young. */
function yieldsFeed(client: TreasuryClient, now: () => number): Feed {
  const read = (body: Buffer, receivedAtMs: number) => parseParYields(body, receivedAtMs)
  return {
    name: 'par-yields',
    topic: 'economic-data',
    cost: 2,
    dueMs: every(HOUR_MS),
    ask: async (cursor, signal) => {
      const today = localDate(now(), NEW_YORK)
      const from = textIn(cursor, 'readTo')
      const periods = from === undefined ? firstPeriods(today) : periodsSince(from, today)
      const facts: Observation[] = []
      const rejects: ItemReject[] = []
      for (const period of periods) {
        const told = await client.parYields(period, ({ body, receivedAtMs }) => read(body, receivedAtMs), signal)
        facts.push(...told.facts)
        rejects.push(...told.rejects)
      }
      const told = { facts, rejects }
      return { ...factsOn('economic-data', told), isUnread: isUnread(told), cursor: { readTo: today } }
    },
    reparse: (original) => factsOn('economic-data', read(original, now())),
  }
}

const yearOf = (date: string) => date.slice(0, 4)
const monthOf = (date: string) => date.slice(0, 7)
const firstPeriods = (today: string) => [String(Number(yearOf(today)) - 1), yearOf(today)]

/** The last look may have been before that day's curve was there, so its own month is asked for again. */
function periodsSince(from: string, today: string): readonly string[] {
  if (monthOf(from) === monthOf(today)) return [monthOf(today)]
  return yearOf(from) === yearOf(today) ? [yearOf(today)] : firstPeriods(today)
}
