import { VENDORS, type VendorName } from '../domain/vendors.ts'
import type { SourceContext } from './catalogue.ts'
import { KeyRing } from './quota/key-ring.ts'
import type { QuotaWindow } from './quota/quota.ts'
import { openVendorHttp, type VendorHttpOptions } from './resilience/open-vendor-http.ts'
import type { VendorHttp } from './resilience/vendor-http.ts'
import { USER_AGENT } from './user-agent.ts'

export interface VendorAccessOptions extends Pick<VendorHttpOptions, 'sign' | 'hidden' | 'errorOf'> {
  readonly name: VendorName
  /** Unless another is configured. Without a trailing slash. */
  readonly baseUrl: string
  /** Default: the vendor needs none. */
  readonly keys?: readonly string[]
  /** What each key may ask. */
  readonly windows: readonly QuotaWindow[]
  /** Default: what we tell everybody. */
  readonly userAgent?: string
}

export interface VendorAccess {
  readonly quota: KeyRing
  readonly http: VendorHttp
}

/** A vendor's HTTP side as this installation may use it: with its keys, within its limits, at the address that is configured. */
export function openVendorAccess(context: SourceContext, options: VendorAccessOptions): VendorAccess {
  const { settings, quotas: store, clock, log, metrics } = context
  const { name, baseUrl, keys = [], windows, ...asking } = options
  const quota = new KeyRing({ name, keys, windows, store, clock, log, metrics })
  const http = openVendorHttp({
    userAgent: USER_AGENT,
    ...asking,
    vendor: name,
    title: VENDORS[name].title,
    baseUrl: settings.urls[name]?.http ?? baseUrl,
    quota,
    clock,
    log,
    metrics,
  })
  return { quota, http }
}
