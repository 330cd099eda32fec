/**
 * When the simulated exchange trades. `us`: 09:30 to 16:00 in New York, Monday to Friday; exchange holidays are not
 * modelled. `always`: one session of the same length after the other, without a pause.
 */
export type MarketHours = 'always' | 'us'

/** A stretch of time in which the exchange is either open from its bell to its bell, or closed. */
export interface Period {
  readonly isOpen: boolean
  readonly startMs: number
  readonly endMs: number
}

export const SESSION_MS = 390 * 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The period the time falls in. Asked for rising times, it works once per period. */
export class Sessions {
  readonly #hours: MarketHours
  #period: Period = { isOpen: false, startMs: 0, endMs: 0 }

  constructor(hours: MarketHours) {
    this.#hours = hours
  }

  at(timeMs: number): Period {
    if (timeMs < this.#period.startMs || timeMs >= this.#period.endMs)
      this.#period = this.#hours === 'us' ? usPeriod(timeMs) : backToBack(timeMs)
    return this.#period
  }
}

function backToBack(timeMs: number): Period {
  const startMs = Math.floor(timeMs / SESSION_MS) * SESSION_MS
  return { isOpen: true, startMs, endMs: startMs + SESSION_MS }
}

const newYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
})

function usPeriod(timeMs: number): Period {
  const local = newYorkParts(timeMs)
  const midnightMs = Date.UTC(local.year, local.month - 1, local.day)
  const weekday = new Date(midnightMs).getUTCDay()
  const openMs = openingOf(midnightMs)
  const closeMs = openMs + SESSION_MS
  const isTradingDay = weekday >= 1 && weekday <= 5
  if (isTradingDay && timeMs >= openMs && timeMs < closeMs) return { isOpen: true, startMs: openMs, endMs: closeMs }
  // An hour at a time is enough to reach the next opening without stepping over it.
  const endMs = timeMs + HOUR_MS
  return { isOpen: false, startMs: timeMs, endMs: isTradingDay && timeMs < openMs ? Math.min(endMs, openMs) : endMs }
}

/** 09:30 in New York of that date. Clocks change on Sundays at night, so noon has the offset of the whole session. */
function openingOf(midnightMs: number): number {
  const noonMs = midnightMs + DAY_MS / 2
  const behindHours = 12 - newYorkParts(noonMs).hour
  return midnightMs + 9.5 * HOUR_MS + behindHours * HOUR_MS
}

function newYorkParts(timeMs: number): { year: number; month: number; day: number; hour: number } {
  const parts = new Map(newYork.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? Number.NaN
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour') }
}

/** How busy a moment of the session is: 2 at both bells, 0.6 at noon, 0.88 on average. */
export function busyness(period: Period, timeMs: number): number {
  const fromNoon = (2 * (timeMs - period.startMs)) / (period.endMs - period.startMs) - 1
  return 0.6 + 1.4 * fromNoon * fromNoon * fromNoon * fromNoon
}
