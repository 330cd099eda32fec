import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'

/** What a host says of the document that it sent, to be asked by next time. */
export interface DocumentVersion {
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

/** Feeds of one host. */
export class FeedClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** Undefined where the document has not changed since. */
  newerThan<T>(
    { etag, lastModified }: DocumentVersion,
    { pathname, search }: URL,
    read: (response: VendorResponse) => T,
    signal: AbortSignal,
  ): Promise<{ readonly read: T; readonly version: DocumentVersion } | undefined> {
    const headers = {
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
    }
    return this.#http.get(
      { path: pathname + search, headers },
      (response) =>
        response.status === 304
          ? undefined
          : {
              read: read(response),
              version: { etag: response.headers.etag, lastModified: response.headers['last-modified'] },
            },
      signal,
    )
  }
}
