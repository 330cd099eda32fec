import { alpacaCase } from './alpaca.ts'
import { alphaVantageCase } from './alpha-vantage.ts'
import { finnhubCase } from './finnhub.ts'
import { frankfurterCase } from './frankfurter.ts'
import { fredCase, fredChartsCase } from './fred.ts'
import { madeUp } from './made-up.ts'
import { newsapiCase } from './newsapi.ts'
import type { PolledVendorCase } from './polled-vendor-case.ts'
import { polygonCase } from './polygon.ts'
import { rssCase } from './rss.ts'
import { secEdgarCase } from './sec-edgar.ts'
import { twelveDataCase } from './twelve-data.ts'
import { usTreasuryCase } from './us-treasury.ts'

/** Every polled vendor that the contract suite reads. One line each. */
export const POLLED_VENDORS: Readonly<Record<string, PolledVendorCase>> = {
  'made-up': madeUp,
  'alpha-vantage': alphaVantageCase,
  frankfurter: frankfurterCase,
  fred: fredCase,
  'fred without a key': fredChartsCase,
  newsapi: newsapiCase,
  finnhub: finnhubCase,
  'twelve-data': twelveDataCase,
  alpaca: alpacaCase,
  polygon: polygonCase,
  rss: rssCase,
  'sec-edgar': secEdgarCase,
  'us-treasury': usTreasuryCase,
}
