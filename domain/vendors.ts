/** What may be done with a fact. The operator decides who is served: see AUDIENCE in `.env.example`. */
export const LICENCES = ['REDISTRIBUTABLE', 'DELAYED', 'PERSONAL'] as const
/**
 * REDISTRIBUTABLE: may be shown to anybody, with the attribution. DELAYED: is told late by its vendor's own terms, and for
 * own use. PERSONAL: for the own use of whoever holds the key or runs the platform.
 */
export type Licence = (typeof LICENCES)[number]

export interface Vendor {
  /** For people. */
  readonly title: string
  readonly licence: Licence
  /** Facts are older than seconds when they come: end of day, a day late, a reference rate. */
  readonly delayed: boolean
  /** What the vendor's terms ask to be shown beside its data; empty where they ask nothing. */
  readonly attribution: string
}

const vendor = (title: string, licence: Licence, delayed: boolean, attribution = ''): Vendor => ({
  title,
  licence,
  delayed,
  attribution,
})

const FRED_NOTICE =
  'This product uses the FRED® API but is not endorsed or certified by the Federal Reserve Bank of St. Louis.'

/** Everybody who tells us facts. The name is what stands before the colon in a fact's `source`. */
export const VENDORS = {
  simulated: vendor('Simulated market', 'REDISTRIBUTABLE', false, 'Simulated: none of these prices are real.'),
  replay: vendor('Recorded tape', 'PERSONAL', true),
  'alpha-vantage': vendor('Alpha Vantage', 'PERSONAL', true, 'Data: Alpha Vantage'),
  newsapi: vendor('NewsAPI.org', 'DELAYED', true, 'Powered by NewsAPI.org'),
  fred: vendor('FRED, Federal Reserve Bank of St. Louis', 'REDISTRIBUTABLE', false, FRED_NOTICE),
  coinbase: vendor('Coinbase Exchange', 'PERSONAL', false, 'Coinbase'),
  kraken: vendor('Kraken', 'PERSONAL', false, 'Kraken'),
  binance: vendor('Binance', 'PERSONAL', false, 'Binance'),
  'sec-edgar': vendor('SEC EDGAR', 'REDISTRIBUTABLE', false, 'Source: SEC EDGAR'),
  rss: vendor('Public news feeds', 'PERSONAL', false),
  frankfurter: vendor('Frankfurter', 'REDISTRIBUTABLE', true, 'Source: ECB statistics'),
  'us-treasury': vendor('U.S. Department of the Treasury', 'REDISTRIBUTABLE', true, 'Source: U.S. Treasury'),
  finnhub: vendor('Finnhub', 'PERSONAL', false),
  alpaca: vendor('Alpaca', 'PERSONAL', false),
  polygon: vendor('Polygon.io (Massive)', 'PERSONAL', true),
  'twelve-data': vendor('Twelve Data', 'PERSONAL', false),
} as const satisfies Record<string, Vendor>

export type VendorName = keyof typeof VENDORS
export const VENDOR_NAMES = Object.keys(VENDORS) as readonly VendorName[]

/**
 * Who stands behind a fact's `source`. A vendor whose prints are numbered stream by stream has a source for each:
 * `coinbase:BTC-USD`. Undefined for a producer of somebody else's.
 */
export function vendorOf(source: string): (Vendor & { readonly name: VendorName }) | undefined {
  const colon = source.indexOf(':')
  const name = colon < 0 ? source : source.slice(0, colon)
  return Object.hasOwn(VENDORS, name) ? { ...VENDORS[name as VendorName], name: name as VendorName } : undefined
}

/** The strictest where nobody knows. */
export const licenceOf = (source: string): Licence => vendorOf(source)?.licence ?? 'PERSONAL'

/** What must be shown beside facts of the source; undefined where nothing must. */
export const attributionOf = (source: string): string | undefined => vendorOf(source)?.attribution || undefined
