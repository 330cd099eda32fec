import type { Instrument } from '../domain/instrument.ts'
import type { VendorName } from '../domain/vendors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { QuotaStore, SymbolInterest } from './quota/quota.ts'
import type { Source } from './source.ts'

/** A vendor that can be read, whether or not this installation has what it takes. One file per vendor makes one. */
export interface VendorSource {
  readonly name: VendorName
  /** Environment variables without which it cannot be read; empty: keyless. `--live` reads all that can be read. */
  readonly needs: readonly SourceVariable[]
  open(context: SourceContext): Source
}

/** Settings of sources, checked and described by `platform/config.ts`. Keys may be several, comma-separated. */
export const SOURCE_VARIABLES = [
  'ALPHA_VANTAGE_KEY',
  'ALPHA_VANTAGE_REQUESTS_PER_MINUTE',
  'NEWSAPI_KEY',
  'NEWSAPI_REQUESTS_PER_DAY',
  'FRED_KEY',
  'FRED_SERIES',
  'FINNHUB_KEY',
  'FINNHUB_REQUESTS_PER_MINUTE',
  'ALPACA_KEY_ID',
  'ALPACA_SECRET_KEY',
  'POLYGON_KEY',
  'POLYGON_WS',
  'TWELVE_DATA_KEY',
  'TWELVE_DATA_CREDITS_PER_MINUTE',
  'SEC_CONTACT',
  'SEC_FORMS',
  'RSS_FEEDS',
] as const
export type SourceVariable = (typeof SOURCE_VARIABLES)[number]

/** What every vendor source is given. Names no backend. */
export interface SourceContext {
  readonly settings: SourceSettings
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly quotas: QuotaStore
  readonly interest: SymbolInterest
  /** It is this source, and no other, that tells trades of US stocks: see us-trades.ts. */
  readonly tellsUsTrades: boolean
  /** Instruments as a source describes them, such as a regulator's list: kept where nothing better is known. */
  readonly describe: (instruments: readonly Instrument[]) => Promise<void>
  /** The earliest next look at each symbol, for `Instrument.freshness`. Replaces what this source told before. */
  readonly tellPlan: (source: VendorName, plan: readonly PlannedUpdate[]) => void
  /**
   * Why nothing comes just now, as one sentence for the operator (`cannot be reached: …`), and undefined once it comes
   * again. Shown in `/ready` and at the terminal. The source goes on by itself all the while.
   */
  readonly tellTrouble: (source: VendorName, trouble: string | undefined) => void
  /** What its vendor does not give us, as one sentence for the operator, while all else of it is read. undefined: nothing. */
  readonly tellLack: (source: VendorName, lack: string | undefined) => void
}

export interface PlannedUpdate {
  readonly symbol: string
  readonly nextUpdateAtMs: number
}

export interface SourceSettings {
  readonly variables: Readonly<Partial<Record<SourceVariable, string>>>
  /** Instruments to read where a vendor does not tell all: the platform's symbols, e.g. AAPL, BTC-USD, EUR-USD. */
  readonly symbols: readonly string[]
  /** Other addresses for vendors by name: a mirror, a vendor's other region, a test. Without a trailing slash. */
  readonly urls: Readonly<Partial<Record<VendorName, VendorUrls>>>
}

export interface VendorUrls {
  readonly http?: string
  readonly ws?: string
}
