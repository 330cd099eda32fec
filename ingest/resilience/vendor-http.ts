/** A vendor's HTTP API behind its one policy: timeout, retry, circuit breaker, bulkhead. Limits are the quota's business. */
export interface VendorHttp {
  /**
   * GET. `read` makes the answer of the body, or throws a VendorError: an answer that is an error is one whatever its status
   * says. Whether it is tried again follows from the error's code: VENDOR_UNAVAILABLE is, a few times, with jitter.
   * @throws VendorError; VENDOR_UNAVAILABLE at once while the breaker is open.
   */
  get<T>(request: VendorRequest, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T>
  /** For `/ready` and metrics. */
  readonly state: 'closed' | 'open' | 'half-open'
}

export interface VendorRequest {
  /** Below the vendor's base address, with a leading slash; or a whole address of the vendor's, like a `next_url`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** A key belongs here or in `query`; it is never logged and never part of an error. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface VendorResponse {
  /** 2xx and 304. Others have become VendorErrors before `read`, unless `errorOf` of the client knew better. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  readonly receivedAtMs: number
}
