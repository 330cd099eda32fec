import { PlatformError } from '../../domain/errors.ts'

/** Where a connection string points to, as it may be shown and logged: `host:port/database`, never the password. */
export function addressOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname || 'localhost'}:${port || 5432}${pathname}`
}

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** Connection exceptions, out of resources, operator intervention; a standby after a failover; a transaction cut short. */
const UNAVAILABLE_STATES = /^(08...|53...|57P0.|25006|25P03|25P04)$/
/** Wrong user or password, no such database: the same call fails until somebody changes the configuration. */
const MISCONFIGURED_STATES = new Set(['28000', '28P01', '3D000'])
/** What pg and its pool say without a code. */
const UNAVAILABLE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|connection error and is not queryable|Client was closed/

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

/** The Unix socket of a server that has stopped; a file that is missing by the configuration has the same code. */
const isWithoutSocket = (error: Error): boolean =>
  codeOf(error) === 'ENOENT' && 'syscall' in error && error.syscall === 'connect'

/** The database is away, or out of something: the same call may succeed later. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof Error &&
  (SOCKET_ERRORS.has(codeOf(error)) ||
    isWithoutSocket(error) ||
    UNAVAILABLE_STATES.test(codeOf(error)) ||
    UNAVAILABLE_MESSAGES.test(error.message))

/**
 * What a failed call to the database means: STORE_UNAVAILABLE where it may succeed later, INVALID_CONFIG where the
 * connection string is wrong. Anything else comes back as it was: the statement itself is at fault, which is a bug.
 */
export function storeError(doing: string, url: string, cause: unknown): Error {
  if (cause instanceof PlatformError) return cause
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const code = codeOf(error)
  if (isUnavailable(error))
    return new PlatformError(
      'STORE_UNAVAILABLE',
      `Could not ${doing}: PostgreSQL at ${addressOf(url)} cannot be used now: ${error.message || code}`,
      { cause },
    )
  if (MISCONFIGURED_STATES.has(code))
    return new PlatformError(
      'INVALID_CONFIG',
      `Could not ${doing}: PostgreSQL at ${addressOf(url)} says: ${error.message}`,
      {
        cause,
      },
    )
  return error
}
