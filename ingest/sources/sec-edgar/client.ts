import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'

export const BASE_URL = 'https://www.sec.gov'
/** The SEC holds an address for ten minutes after it asked too much, and longer where it goes on asking. */
const HELD_MS = 600_000
/** The most that one answer lists. */
const FILINGS_MAX = 100

export class EdgarClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** The newest filings whose form begins with `form`, as Atom. */
  latest<T>(form: string, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T> {
    const query = { action: 'getcurrent', type: form, owner: 'include', start: 0, count: FILINGS_MAX, output: 'atom' }
    return this.#http.get({ path: '/cgi-bin/browse-edgar', query }, read, signal)
  }

  companyTickers<T>(read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T> {
    return this.#http.get({ path: '/files/company_tickers.json' }, read, signal)
  }
}

/** A refusal is about who asks and how often, never about what was asked for. */
export function errorOf({ status, receivedAtMs, body }: VendorResponse): VendorError | undefined {
  if (status !== 403) return undefined
  return new VendorError(
    'VENDOR_LIMIT',
    'SEC EDGAR answered with status 403: it does not take SEC_CONTACT, or was asked too much from this address',
    { retryAtMs: receivedAtMs + HELD_MS, original: body },
  )
}
