import { parseParYields } from '../../../ingest/sources/us-treasury/parse.ts'
import { usTreasury } from '../../../ingest/sources/us-treasury/us-treasury.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

const DAY_MS = 86_400_000
/** A Wednesday, before its curve is out. */
const START_MS = Date.parse('2026-11-18T18:00:00Z')
/** Enough of this year and of the one before to see that both are read. */
const FIRST_MS = Date.parse('2026-11-02T00:00:00Z')
const BEFORE_MS = Date.parse('2025-12-30T00:00:00Z')
/** 16:00 in New York, in winter. */
const OUT_AFTER_MS = 21 * 3_600_000
const PATH = '/resource-center/data-chart-center/interest-rates/pages/xml'

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const isWorkingDay = (ms: number) => ![0, 6].includes(new Date(ms).getUTCDay())

/** The days whose dates begin so, as `2026` or `2026-11`, and whose curves are out. */
function daysOf(period: string, nowMs: number): readonly number[] {
  const days = [BEFORE_MS, BEFORE_MS + DAY_MS]
  for (let dayMs = FIRST_MS; dayMs + OUT_AFTER_MS <= nowMs; dayMs += DAY_MS) if (isWorkingDay(dayMs)) days.push(dayMs)
  return days.filter((dayMs) => dateOf(dayMs).startsWith(period))
}

const entryOf = (dayMs: number): string => {
  const yieldOf = (base: number) => (base + ((dayMs / DAY_MS) % 20) / 100).toFixed(2)
  return `<entry><id>${dayMs / DAY_MS}</id><title type="text"/><updated>${dateOf(dayMs)}T21:00:00Z</updated><author><name/></author>
<category term="TreasuryDataWarehouseModel.DailyTreasuryYieldCurveRateDatum" scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"/>
<content type="application/xml"><m:properties><d:NEW_DATE m:type="Edm.DateTime">${dateOf(dayMs)}T00:00:00</d:NEW_DATE><d:BC_1MONTH m:type="Edm.Double">${yieldOf(3.9)}</d:BC_1MONTH><d:BC_1_5MONTH m:type="Edm.Double" m:null="true"/><d:BC_10YEAR m:type="Edm.Double">${yieldOf(4)}</d:BC_10YEAR><d:BC_30YEAR m:type="Edm.Double">${yieldOf(4.7)}</d:BC_30YEAR><d:BC_30YEARDISPLAY m:type="Edm.Double">0</d:BC_30YEARDISPLAY></m:properties></content></entry>`
}

const curves = (period: string, nowMs: number): string =>
  `<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<feed xml:base="http://data.treasury.gov/Feed.svc/" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xmlns="http://www.w3.org/2005/Atom">
<title type="text">DailyTreasuryYieldCurveRateData</title><updated>${new Date(nowMs).toISOString()}</updated>
${daysOf(period, nowMs).map(entryOf).join('\n')}
</feed>`

const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query }) => {
    const month = query.get('field_tdr_date_value_month')?.replace(/^(\d{4})(\d{2})$/, '$1-$2')
    const period = month ?? query.get('field_tdr_date_value')
    if (path !== PATH || query.get('data') !== 'daily_treasury_yield_curve' || !period)
      return { status: 404, body: '<html><body>Page not found</body></html>' }
    return { headers: { 'content-type': 'application/atom+xml' }, body: curves(period, clock.now()) }
  },
  told: (nowMs) =>
    parseParYields(Buffer.from(curves('20', nowMs)), nowMs).facts.map((event) =>
      nameOf({ topic: 'economic-data', event }),
    ),
})

export const usTreasuryCase: PolledVendorCase = {
  source: usTreasury,
  variables: {},
  symbols: [],
  keys: [],
  // It publishes none; this is the politeness we promise.
  limits: [{ kind: 'sliding', requests: 10, perMs: 60_000 }],
  startMs: START_MS,
  timesFaster: 10_000,
  errorBody:
    '<?xml version="1.0" encoding="utf-8"?><m:error xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><m:code/><m:message xml:lang="en-US">An error occurred while processing this request.</m:message></m:error>',
  fake,
}
