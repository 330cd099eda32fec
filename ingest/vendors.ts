import type { VendorSource } from './catalogue.ts'
import { alpaca } from './sources/alpaca/alpaca.ts'
import { alphaVantage } from './sources/alpha-vantage/alpha-vantage.ts'
import { binance } from './sources/binance/binance.ts'
import { coinbase } from './sources/coinbase/coinbase.ts'
import { finnhub } from './sources/finnhub/finnhub.ts'
import { frankfurter } from './sources/frankfurter/frankfurter.ts'
import { fred } from './sources/fred/fred.ts'
import { kraken } from './sources/kraken/kraken.ts'
import { newsapi } from './sources/newsapi/newsapi.ts'
import { polygon } from './sources/polygon/polygon.ts'
import { rss } from './sources/rss/rss.ts'
import { secEdgar } from './sources/sec-edgar/sec-edgar.ts'
import { twelveData } from './sources/twelve-data/twelve-data.ts'
import { usTreasury } from './sources/us-treasury/us-treasury.ts'

/** Every vendor that can be read. One line each. */
export const VENDOR_SOURCES: readonly VendorSource[] = [
  alphaVantage,
  newsapi,
  fred,
  finnhub,
  twelveData,
  coinbase,
  kraken,
  binance,
  frankfurter,
  secEdgar,
  rss,
  usTreasury,
  alpaca,
  polygon,
]
