import { localTimeMs, NEW_YORK, usCloseMs } from '../../../ingest/exchange-clock.ts'

const DAY_MS = 86_400_000

export interface UsSession {
  /** `2026-11-20` */
  readonly date: string
  readonly openMs: number
  readonly closeMs: number
  /** Midnight there at its beginning and its end. */
  readonly dayMs: number
  readonly dayEndMs: number
}

/** Days of trading of the US exchanges, oldest first, of which any part lies between. */
export function usSessions(fromMs: number, untilMs: number): UsSession[] {
  const sessions: UsSession[] = []
  for (let dayMs = fromMs - DAY_MS; dayMs <= untilMs + DAY_MS; dayMs += DAY_MS) {
    const date = new Date(dayMs).toISOString().slice(0, 10)
    const next = new Date(dayMs + DAY_MS).toISOString().slice(0, 10)
    const closeMs = usCloseMs(date)
    const openMs = localTimeMs(date, '09:30', NEW_YORK)
    const startMs = localTimeMs(date, '00:00', NEW_YORK)
    const dayEndMs = localTimeMs(next, '00:00', NEW_YORK)
    if (closeMs === undefined || openMs === undefined || startMs === undefined || dayEndMs === undefined) continue
    if (startMs < untilMs && dayEndMs > fromMs) sessions.push({ date, openMs, closeMs, dayMs: startMs, dayEndMs })
  }
  return sessions
}

/** Prices of a symbol that follow from the time alone, so that whoever asks twice is told the same. */
export function madeUpBar(symbol: string, startMs: number) {
  const base = 100 + (symbol.charCodeAt(0) % 20) + (Math.floor(startMs / 60_000) % 50) / 10
  return {
    open: base,
    high: base + 0.5,
    low: base - 0.5,
    close: base + 0.25,
    volume: 1_000 + (startMs % 997),
    trades: 12,
  }
}
