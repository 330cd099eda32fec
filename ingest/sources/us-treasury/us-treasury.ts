import { VENDORS } from '../../../domain/vendors.ts'
import type { VendorSource } from '../../catalogue.ts'
import { localDate, NEW_YORK } from '../../exchange-clock.ts'
import { textIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { rhythm } from '../../polling/rhythm.ts'
import { KeyRing } from '../../quota/key-ring.ts'
import { openVendorHttp } from '../../resilience/open-vendor-http.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { USER_AGENT } from '../../user-agent.ts'
import { NAME, parseParYields } from './parse.ts'

const BASE_URL = 'https://home.treasury.gov'
const PATH = '/resource-center/data-chart-center/interest-rates/pages/xml'
const HOUR_MS = 3_600_000

/** The yield curve of U.S. Treasuries: this year and the one before, then each working day's. */
export const usTreasury: VendorSource = {
  name: NAME,
  needs: [],
  open(context) {
    const { settings, quotas, clock, log, metrics } = context
    // It publishes no limit; this is politeness.
    const windows = [{ kind: 'sliding', requests: 10, perMs: 60_000 }] as const
    const quota = new KeyRing({ name: NAME, keys: [], windows, store: quotas, clock, log, metrics })
    const http = openVendorHttp({
      vendor: NAME,
      title: VENDORS[NAME].title,
      baseUrl: settings.urls[NAME]?.http ?? BASE_URL,
      userAgent: USER_AGENT,
      quota,
      clock,
      log,
      metrics,
    })
    const feeds = [yieldsFeed(http, clock.now)]
    return polledSource({ name: NAME, context, quota, feedsOf: () => feeds })
  },
}

/** First the year before, then this one; from then on the month, and the one before while it is young. */
function yieldsFeed(http: VendorHttp, now: () => number): Feed {
  const read = (body: Buffer, receivedAtMs: number) => factsOn('economic-data', parseParYields(body, receivedAtMs))
  return {
    name: 'par-yields',
    topic: 'economic-data',
    cost: 2,
    dueMs: rhythm((lastAskedMs) => lastAskedMs + HOUR_MS),
    ask: async (cursor, signal) => {
      const today = localDate(now(), NEW_YORK)
      const from = textIn(cursor, 'readTo')
      const periods = from === undefined ? firstPeriods(today) : periodsSince(from, today)
      const facts = []
      const rejects = []
      for (const period of periods) {
        const query = { data: 'daily_treasury_yield_curve', ...period }
        const answer = await http.get(
          { path: PATH, query },
          ({ body, receivedAtMs }) => read(body, receivedAtMs),
          signal,
        )
        facts.push(...answer.facts)
        rejects.push(...answer.rejects)
      }
      return { facts, rejects, cursor: { readTo: today } }
    },
    reparse: (original) => read(original, now()),
  }
}

const year = (value: number) => ({ field_tdr_date_value: String(value) })
const month = (date: string) => ({ field_tdr_date_value_month: date.slice(0, 7).replace('-', '') })

const firstPeriods = (today: string) => [year(Number(today.slice(0, 4)) - 1), year(Number(today.slice(0, 4)))]

/** The last look may have been before that day's curve was there, so its own month is asked for again. */
function periodsSince(from: string, today: string) {
  if (from.slice(0, 7) === today.slice(0, 7)) return [month(today)]
  if (from.slice(0, 4) === today.slice(0, 4)) return [year(Number(today.slice(0, 4)))]
  return firstPeriods(today)
}
