import { frankfurter } from '../../../ingest/sources/frankfurter/frankfurter.ts'
import { parseRates } from '../../../ingest/sources/frankfurter/parse.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

const DAY_MS = 86_400_000
/** Before the rates of a working day that is followed by others. */
const START_MS = Date.parse('2026-11-17T12:00:00Z')
const FIRST_MS = Date.parse('2026-10-01T00:00:00Z')
/** By then the day's rates are out, in winter and in summer. */
const OUT_AFTER_MS = 15 * 3_600_000
const CURRENCIES = ['USD', 'GBP']

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const isWorkingDay = (ms: number) => ![0, 6].includes(new Date(ms).getUTCDay())

/** A rate of each currency for each working day that is out. */
function ratesFrom(from: string, nowMs: number): object[] {
  const rates: object[] = []
  for (let dayMs = FIRST_MS; dayMs + OUT_AFTER_MS <= nowMs; dayMs += DAY_MS)
    if (isWorkingDay(dayMs) && dateOf(dayMs) >= from)
      for (const [i, quote] of CURRENCIES.entries())
        rates.push({ date: dateOf(dayMs), base: 'EUR', quote, rate: 1 + i / 10 + dayMs / DAY_MS / 1e6 })
  return rates
}

const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query }) =>
    path === '/v2/rates'
      ? { body: ratesFrom(query.get('from') ?? '', clock.now()) }
      : { status: 404, body: { message: 'not found' } },
  told: (nowMs) => {
    const body = Buffer.from(JSON.stringify(ratesFrom('', nowMs)))
    return parseRates(body, [], nowMs).observations.facts.map((event) => nameOf({ topic: 'economic-data', event }))
  },
})

export const frankfurterCase: PolledVendorCase = {
  source: frankfurter,
  variables: {},
  symbols: ['EUR-USD'],
  keys: [],
  // It publishes none; this is the politeness we promise.
  limits: [{ kind: 'sliding', requests: 10, perMs: 60_000 }],
  startMs: START_MS,
  timesFaster: 10_000,
  errorBody: '{"message":"try again later"}',
  fake,
}
