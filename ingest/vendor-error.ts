import { type ErrorCode, PlatformError } from '../domain/errors.ts'

export type VendorErrorCode = Extract<ErrorCode, `VENDOR_${string}`>

/** What a vendor did to us, in the words the rest of ingest acts on. */
export class VendorError extends PlatformError {
  /** Not before then, by the vendor's own word; undefined where it says nothing. Wall clock, milliseconds since 1970 UTC. */
  readonly retryAtMs: number | undefined
  /** The answer that was wrong, for the dead letters. Never holds a key: only what the vendor sent. */
  readonly original: Buffer | undefined
  /** Of VENDOR_REFUSED: the key itself is wrong or withdrawn, so nothing else will be answered with it either. */
  readonly ofKey: boolean

  constructor(
    code: VendorErrorCode,
    message: string,
    options: { cause?: unknown; retryAtMs?: number; original?: Buffer; ofKey?: boolean } = {},
  ) {
    super(code, message, options)
    this.retryAtMs = options.retryAtMs
    this.original = options.original
    this.ofKey = options.ofKey ?? false
  }
}
