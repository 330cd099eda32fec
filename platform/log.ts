import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>

/**
 * Structured JSON lines on standard error, so that standard output stays the program's own. Secrets never get this far.
 *
 * Each line is written before the call returns: none waits in memory, and who reads them slowly holds the process up. Lines
 * that wait would be tried again for ever at the exit where nobody reads standard error any more.
 */
export function openLog(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Log {
  return pino(
    {
      level,
      base: undefined,
      redact: { paths: ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization'] },
    },
    destination,
  )
}

/** For tests that do not look at the log. */
export const silentLog: Log = pino({ level: 'silent' })
