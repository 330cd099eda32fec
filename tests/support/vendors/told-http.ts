import type { VendorHttp, VendorRequest } from '../../../ingest/resilience/vendor-http.ts'

export interface ToldHttp extends VendorHttp {
  /** Everything that was asked, in order. */
  readonly asked: readonly VendorRequest[]
}

/** A vendor without a network: answers what the test tells it to, or throws what the test throws. */
export function toldHttp(answer: (request: VendorRequest) => Buffer, now: () => number): ToldHttp {
  const asked: VendorRequest[] = []
  return {
    asked,
    state: 'closed',
    get: async (request, read) => {
      asked.push(request)
      return read({ status: 200, headers: {}, body: answer(request), receivedAtMs: now() })
    },
  }
}
