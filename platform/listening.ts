import { PlatformError } from '../domain/errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken, set PORT to another one',
  EADDRNOTAVAIL: 'this machine has no such address, set HOST to one that it has',
  EACCES: 'this user may not open that port, set PORT to one above 1023',
}

/** Why a server could not take its address, and which setting mends it. */
export function cannotListen(who: string, host: string, port: number, cause: unknown): PlatformError {
  const { code = '', message = String(cause) } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {}
  const sentence = `${who} cannot listen on ${host}:${port}: ${REASONS[code] ?? message}`
  return new PlatformError('INVALID_CONFIG', sentence, { cause })
}
