/**
 * What can go wrong and is expected to. Anything else is a bug: it ends the process, and the bus delivers again.
 * The code is what programs act on (clients see it in `extensions.code`), the message is a sentence for people.
 */
const RETRYABLE = {
  /** A fact from outside breaks a rule of `domain/`. Goes to the dead letters. */
  INVALID_EVENT: false,
  /** Bytes on the bus that are not what their topic carries. Goes to the dead letters. */
  UNDECODABLE_EVENT: false,
  INVALID_ARGUMENT: false,
  UNKNOWN_SYMBOL: false,
  INVALID_CONFIG: false,
  /** A recorded tape that is missing, truncated or not a tape. */
  INVALID_TAPE: false,
  BUS_UNAVAILABLE: true,
  MESSAGE_TOO_LARGE: false,
  /** The bus no longer (or not yet) holds the offset to go on from. A person decides; nothing is reset. */
  OFFSET_LOST: false,
  SCHEMA_UNKNOWN: false,
  SCHEMA_INCOMPATIBLE: false,
  REGISTRY_UNAVAILABLE: true,
  PUBSUB_UNAVAILABLE: true,
  STORE_UNAVAILABLE: true,
  /** The database was made by another major version, or by a migration we do not know. */
  STORE_INCOMPATIBLE: false,
  SUBGRAPH_UNAVAILABLE: true,
  /** A vendor does not answer, or answers that it is broken. */
  VENDOR_UNAVAILABLE: true,
  /** A vendor says that we ask too much. Its answer may say when to come back. */
  VENDOR_LIMIT: true,
  /** A vendor's answer is not what its documentation says. Goes to the dead letters with its bytes. */
  VENDOR_ANSWER: false,
  /** The key is wrong, was withdrawn, or does not include what was asked for. A person decides. */
  VENDOR_REFUSED: false,
  /** The vendor does not know what was asked for: a symbol, a series. */
  VENDOR_UNKNOWN: false,
  LIMIT_EXCEEDED: false,
} as const

export type ErrorCode = keyof typeof RETRYABLE

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(RETRYABLE, code)

export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  /** True where the same call may succeed later without anybody changing anything but the world. */
  get retryable(): boolean {
    return RETRYABLE[this.code]
  }
}

export const isPlatformError = (error: unknown, code?: ErrorCode): error is PlatformError =>
  error instanceof PlatformError && (code === undefined || error.code === code)
