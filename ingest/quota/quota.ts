/** What a vendor's documentation allows one key (or one address, where there is no key). */
export interface Quota {
  /** Names the budget in the store and in metrics by a print of the key, never the key itself: `alpha-vantage#3fa9c1d2`. */
  readonly name: string
  readonly windows: readonly QuotaWindow[]
}

/** At most `requests` in any one such window. */
export type QuotaWindow =
  | { readonly kind: 'sliding'; readonly requests: number; readonly perMs: number }
  /** A day by the provider's clock: it begins at midnight there, daylight saving included. */
  | { readonly kind: 'day'; readonly requests: number; readonly timeZone: string }

/** Survives restarts: what was spent before a crash is still spent after it. */
export interface QuotaStore {
  load(name: string): Promise<QuotaSpent | undefined>
  save(name: string, spent: QuotaSpent): Promise<void>
}

/** What was spent, or reserved to be spent in the next moments, which after a crash counts as spent. */
export interface QuotaSpent {
  /** Times of the newest requests, as late as they can have arrived; as many as the sliding windows ask for. */
  readonly recentMs: readonly number[]
  /** Requests by day, `America/New_York 2026-11-20`: today, and the days beside it near midnight. */
  readonly days: Readonly<Record<string, number>>
  /** The vendor told us to stay away until then. */
  readonly pausedUntilMs: number
}

/** Who would like a symbol to be fresh, the more pressing the higher: it decides who is asked for when not all can be. */
export interface SymbolInterest {
  /** Current interest by symbol; symbols that nobody is interested in are left out. Cheap: it is asked before each request. */
  current(): ReadonlyMap<string, Interest>
}

export interface Interest {
  /** Alert rules that look at the symbol: they come first. */
  readonly alertRules: number
  /** Clients that watch it now: they come next, the more the sooner. */
  readonly watchers: number
}
