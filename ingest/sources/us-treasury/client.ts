import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'

export const BASE_URL = 'https://home.treasury.gov'
const PATH = '/resource-center/data-chart-center/interest-rates/pages/xml'

export class TreasuryClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** The par yield curve of each day of a year (`2026`) or of a month (`2026-11`), as Atom. */
  parYields<T>(period: string, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T> {
    const span =
      period.length === 4 ? { field_tdr_date_value: period } : { field_tdr_date_value_month: period.replace('-', '') }
    return this.#http.get({ path: PATH, query: { data: 'daily_treasury_yield_curve', ...span } }, read, signal)
  }
}
