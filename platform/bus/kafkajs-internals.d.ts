// What we touch of kafkajs beyond what it exports; its version is pinned.
declare module 'kafkajs/src/network/requestQueue/index.js' {
  interface Entry {
    readonly correlationId: number
    readonly apiName: string
    resolve(answer: unknown): void
    reject(error: unknown): void
  }

  class RequestQueue {
    constructor(options: {
      readonly maxInFlightRequests: number | null
      readonly requestTimeout: number
      readonly enforceRequestTimeout: boolean
      readonly clientId: string
      readonly broker: string
      readonly logger: { debug(): void; warn(): void }
      readonly isConnected: () => boolean
    })
    readonly pending: readonly unknown[]
    push(request: { readonly entry: Entry; readonly expectResponse: boolean; readonly sendRequest: () => void }): void
    fulfillRequest(answer: { readonly correlationId: number; readonly payload: Buffer; readonly size: number }): void
    maybeThrottle(throttleTimeMs: number): void
    scheduleCheckPendingRequests(): void
  }
  export = RequestQueue
}
