import type { VendorSource } from './catalogue.ts'
import { alphaVantage } from './sources/alpha-vantage/alpha-vantage.ts'
import { frankfurter } from './sources/frankfurter/frankfurter.ts'
import { fred } from './sources/fred/fred.ts'
import { newsapi } from './sources/newsapi/newsapi.ts'
import { rss } from './sources/rss/rss.ts'
import { secEdgar } from './sources/sec-edgar/sec-edgar.ts'
import { usTreasury } from './sources/us-treasury/us-treasury.ts'

/** Every vendor that can be read. One line each. */
export const VENDOR_SOURCES: readonly VendorSource[] = [
  alphaVantage,
  newsapi,
  fred,
  frankfurter,
  secEdgar,
  rss,
  usTreasury,
]
