/** What a vendor's documentation allows one key (or one address, where there is no key). */
export interface Quota {
  /** Names the budget in the store and in metrics, never the key itself: `alpha-vantage#1`. */
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

/** As of `savedAtMs`: requests of the current day window, by its start, and the times of the newest ones. */
export interface QuotaSpent {
  readonly recentMs: readonly number[]
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
