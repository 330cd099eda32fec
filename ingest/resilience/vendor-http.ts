/** A vendor's HTTP API behind its one policy: timeout, retry, circuit breaker, bulkhead, and the budget of its keys. */
export interface VendorHttp {
  /**
   * GET. `read` makes the answer of the body, or throws a VendorError: an answer that is an error is one whatever its status
   * says. Whether it is tried again follows from the error's code: VENDOR_UNAVAILABLE is, a few times, with jitter. Every
   * try is a request of the budget, and so is a redirect.
   * @throws VendorError; VENDOR_UNAVAILABLE at once while the breaker is open, VENDOR_LIMIT where the budget has no room
   * soon. Rejects at once when the signal aborts.
   */
  get<T>(request: VendorRequest, read: (response: VendorResponse) => T, signal: AbortSignal): Promise<T>
  /** For `/ready` and metrics. */
  readonly state: 'closed' | 'open' | 'half-open'
}

export interface VendorRequest {
  /** Below the vendor's base address, with a leading slash; or a whole address at the vendor's own host, like a `next_url`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** Keys are not for here: `sign` of the client adds them, to each try the one whose budget it is. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface VendorResponse {
  /** 2xx and 304. Others have become VendorErrors before `read`, unless `errorOf` of the client knew better. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Uncompressed, at most BODY_BYTES_MAX. Where the vendor has repeated a key, there are asterisks. */
  readonly body: Buffer
  readonly receivedAtMs: number
}
