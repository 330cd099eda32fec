import type { VendorName } from '../../domain/vendors.ts'
import type { SourceContext } from '../catalogue.ts'
import type { KeyRing } from '../quota/key-ring.ts'
import type { Feed } from './feed.ts'

export interface PolledSourceOptions {
  readonly name: VendorName
  /**
   * What there is to ask for, the same for the same symbols. Called again when the symbols have changed: the configured
   * ones, and those that somebody watches. What the vendor does not have is left out by it.
   */
  readonly feedsOf: (symbols: readonly string[]) => readonly Feed[]
  /** The budget that the feeds are asked from, the same that their client's `openVendorHttp` has; of a feed, where a source has several. */
  readonly quota: KeyRing | ((feed: Feed) => KeyRing)
  readonly context: PollingContext
  readonly limits?: Partial<PollingLimits>
}

export type PollingContext = Pick<
  SourceContext,
  'settings' | 'interest' | 'clock' | 'log' | 'metrics' | 'tellPlan' | 'tellTrouble'
>

export interface PollingLimits {
  /** Symbols that are asked for; of those that are merely watched the least wanted are left out beyond it, and counted. */
  readonly symbolsMax: number
  readonly asksAtOnceMax: number
}

export const POLLING_DEFAULTS: PollingLimits = { symbolsMax: 500, asksAtOnceMax: 4 }
