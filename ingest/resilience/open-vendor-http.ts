import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Lease } from '../quota/budget.ts'
import type { KeyRing } from '../quota/key-ring.ts'
import { VendorError } from '../vendor-error.ts'
import { errorOfStatus } from './answer-error.ts'
import { HideKeys } from './hide-keys.ts'
import { oneRequest, Unreachable } from './one-request.ts'
import { ResiliencePolicy, type VendorPolicy } from './policy.ts'
import type { VendorHttp, VendorRequest, VendorResponse } from './vendor-http.ts'

export interface VendorHttpOptions {
  /** Names it in metrics and logs: `alpha-vantage`. */
  readonly vendor: string
  /** Names it in sentences: `Alpha Vantage`. */
  readonly title: string
  /** Without a trailing slash. */
  readonly baseUrl: string
  /** Some vendors refuse who does not say who they are. */
  readonly userAgent: string
  readonly quota: KeyRing
  /** Where the vendor wants its key. */
  readonly sign?: (key: string) => Pick<VendorRequest, 'query' | 'headers'>
  /** What else is not to be seen where the vendor repeats it: the id that belongs to a key. */
  readonly hidden?: readonly string[]
  /** The vendor's own error form of answers that are not 2xx; undefined where the status says it all. */
  readonly errorOf?: (response: VendorResponse) => VendorError | undefined
  readonly policy?: Partial<VendorPolicy>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Redirects at the vendor's own host that one request follows. */
const REDIRECTS_MAX = 3

export const openVendorHttp = (options: VendorHttpOptions): VendorHttp => new BudgetedHttp(options)

class BudgetedHttp implements VendorHttp {
  readonly #options: VendorHttpOptions
  readonly #policy: ResiliencePolicy
  readonly #hide: HideKeys

  constructor(options: VendorHttpOptions) {
    this.#options = options
    this.#policy = new ResiliencePolicy(options)
    this.#hide = new HideKeys([...options.quota.keys, ...(options.hidden ?? [])])
  }

  get state(): VendorHttp['state'] {
    return this.#policy.state
  }

  async get<T>(request: VendorRequest, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T> {
    return this.#policy.run((attempt) => this.#attempt(request, read, attempt), signal)
  }

  async #attempt<T>(
    request: VendorRequest,
    read: (response: VendorResponse) => T,
    attempt: { readonly signal: AbortSignal; withinTime<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R> },
  ): Promise<T> {
    let url = this.#urlOf(request.path)
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      const lease = await this.#options.quota.spend(attempt.signal)
      try {
        const response = await this.#send(url, request, lease, attempt.withinTime)
        const elsewhere = redirectOf(response, url)
        if (elsewhere === undefined) {
          const told = this.#read(response, read)
          lease.answered()
          this.#count('ok')
          return told
        }
        this.#sameHost(elsewhere)
        this.#count('redirect')
        url = elsewhere
      } catch (error) {
        throw await this.#failed(error, lease)
      }
    }
    throw new VendorError('VENDOR_ANSWER', `${this.#options.title} redirects more than ${REDIRECTS_MAX} times`)
  }

  async #send(
    url: URL,
    request: VendorRequest,
    lease: Lease,
    withinTime: <R>(work: (signal: AbortSignal) => Promise<R>) => Promise<R>,
  ): Promise<VendorResponse> {
    const { title, userAgent, sign, clock, metrics, vendor } = this.#options
    const signed = lease.key === undefined ? undefined : sign?.(lease.key)
    const target = new URL(url)
    for (const [name, value] of Object.entries({ ...request.query, ...signed?.query }))
      if (value !== undefined) target.searchParams.set(name, String(value))
    const headers = { 'user-agent': userAgent, accept: '*/*', ...request.headers, ...signed?.headers }
    const startedMs = performance.now()
    let unsent = false
    try {
      const answer = await withinTime((signal) => oneRequest(title, target, headers, signal))
      return { ...answer, body: this.#hide.inBytes(answer.body), receivedAtMs: clock.now() }
    } catch (error) {
      unsent = error instanceof Unreachable && error.unsent
      throw error
    } finally {
      if (unsent) lease.unsent()
      else await lease.ended()
      metrics.vendorRequestLatency.observe({ vendor }, (performance.now() - startedMs) / 1_000)
    }
  }

  #read<T>(response: VendorResponse, read: (response: VendorResponse) => T): T {
    const { errorOf, title } = this.#options
    const isFine = (response.status >= 200 && response.status < 300) || response.status === 304
    const error = isFine ? undefined : (errorOf?.(response) ?? errorOfStatus(title, response))
    if (error) throw error
    return read(response)
  }

  /** What it means for the key that was used; the error as it may be told. */
  async #failed(error: unknown, lease: Lease): Promise<unknown> {
    if (error instanceof Unreachable) {
      this.#count('VENDOR_UNAVAILABLE')
      return new VendorError('VENDOR_UNAVAILABLE', this.#hide.inText(error.message))
    }
    if (!(error instanceof VendorError)) return error
    this.#count(error.code)
    if (error.code === 'VENDOR_LIMIT') await lease.limited(error.retryAtMs)
    if (error.code === 'VENDOR_REFUSED' && error.ofKey) lease.refused()
    return error
  }

  #urlOf(path: string): URL {
    if (path.startsWith('/')) return new URL(this.#options.baseUrl + path)
    if (!URL.canParse(path))
      throw new VendorError('VENDOR_ANSWER', `${this.#options.title} gave an address that is none`)
    const url = new URL(path)
    this.#sameHost(url)
    return url
  }

  /** Keys and trust belong to the host that was configured. */
  #sameHost(url: URL): void {
    const base = new URL(this.#options.baseUrl)
    const upgraded = base.protocol === 'http:' && url.protocol === 'https:' && base.port === '' && url.port === ''
    if (url.hostname === base.hostname && (upgraded || (url.port === base.port && url.protocol === base.protocol)))
      return
    throw new VendorError(
      'VENDOR_UNAVAILABLE',
      `${this.#options.title} sends us to another host, ${url.host}, where we do not follow`,
    )
  }

  #count(outcome: string): void {
    this.#options.metrics.vendorRequests.inc({ vendor: this.#options.vendor, outcome })
  }
}

function redirectOf(response: VendorResponse, from: URL): URL | undefined {
  const { location } = response.headers
  if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return undefined
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined
}
