import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'

export const BASE_URL = 'https://api.frankfurter.dev'
/** The euro's main partners, of which the ECB has a rate for every working day. */
const CURRENCIES = 'USD,GBP,JPY,CHF,AUD,CAD,CNY,SEK,NOK,NZD,PLN,INR,BRL,MXN,ZAR'

export class FrankfurterClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** The ECB's rates against the euro, of each day from that one on. */
  rates<T>(from: string, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T> {
    const query = { base: 'EUR', quotes: CURRENCIES, providers: 'ecb', from }
    return this.#http.get({ path: '/v2/rates', query }, read, signal)
  }
}
