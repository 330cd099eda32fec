import { DateTime } from 'luxon'
import { type UsClose, usCloseOf } from '../domain/us-trading-days.ts'

export const NEW_YORK = 'America/New_York'
/** No exchange is closed for longer; it bounds the search for the next day of trading. */
const CLOSED_DAYS_MAX = 10

/** A few years of days, and a few months of quarters of an hour. */
const REMEMBERED_MAX = 10_000
/** Since 1972 every place is a whole number of these ahead of UTC or behind it, so a day begins and ends with one. */
const QUARTER_HOUR_MS = 900_000
const QUARTER_HOURS_SINCE_MS = Date.UTC(1972, 0, 8)

/** Milliseconds since 1970 UTC of a clock time on a day at a place; undefined where one of them does not exist. */
export const localTimeMs = (date: string, clockTime: string, timeZone: string): number | undefined =>
  timeOf(timeZone, `${date}T${clockTime}`)

/** The calendar day at a place, like `2026-11-27`. */
export function localDate(timeMs: number, timeZone: string): string {
  const sameDayMs = timeMs - (timeMs >= QUARTER_HOURS_SINCE_MS ? timeMs % QUARTER_HOUR_MS : 0)
  return dateOf(timeZone, sameDayMs)
}

/** Each is worked out by the calendar of the runtime, which takes many microseconds, for the same few days all day long. */
function remembering<Asked, Value>(workOut: (timeZone: string, asked: Asked) => Value) {
  const known = new Map<string, Value>()
  return (timeZone: string, asked: Asked): Value => {
    const key = `${timeZone} ${asked}`
    const before = known.get(key)
    if (before !== undefined) return before
    const value = workOut(timeZone, asked)
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(key, value)
    return value
  }
}

const timeOf = remembering((timeZone, local: string) => {
  const time = DateTime.fromISO(local, { zone: timeZone })
  return time.isValid ? time.toMillis() : undefined
})

const dateOf = remembering((timeZone, timeMs: number) =>
  DateTime.fromMillis(timeMs, { zone: timeZone }).toFormat('yyyy-MM-dd'),
)

/**
 * The start of the daily bar that a moment of the US exchanges belongs to: midnight UTC of the day that it was there. Vendors
 * stamp a day's bar with its midnight there or with its end; this is the same for both.
 */
export const usDayStartMs = (timeMs: number): number => Date.parse(`${localDate(timeMs, NEW_YORK)}T00:00:00Z`)

/** The closing bell of a day of the US exchanges; undefined where they do not trade. */
export function usCloseMs(date: string): number | undefined {
  const close: UsClose | undefined = usCloseOf(date)
  return close && localTimeMs(date, close, NEW_YORK)
}

/** Regular trading of the US exchanges: from 09:30 to the bell. */
export function isUsMarketOpen(timeMs: number): boolean {
  const date = localDate(timeMs, NEW_YORK)
  const openMs = localTimeMs(date, '09:30', NEW_YORK)
  const closeMs = usCloseMs(date)
  return openMs !== undefined && closeMs !== undefined && timeMs >= openMs && timeMs < closeMs
}

/** The first opening bell of the US exchanges at or after the time. */
export const nextUsOpenMs = (fromMs: number): number =>
  nearestBell(fromMs, 1, (date) => (usCloseOf(date) ? localTimeMs(date, '09:30', NEW_YORK) : undefined))

/** The first closing bell of the US exchanges after the time. */
export const nextUsCloseMs = (afterMs: number): number => nearestBell(afterMs + 1, 1, usCloseMs)

/** The last closing bell of the US exchanges at or before the time. */
export const lastUsCloseMs = (untilMs: number): number => nearestBell(untilMs, -1, usCloseMs)

/** From the time on, or back from it. */
function nearestBell(fromMs: number, direction: 1 | -1, bellOf: (date: string) => number | undefined): number {
  const start = DateTime.fromMillis(fromMs, { zone: NEW_YORK })
  for (let days = 0; days <= CLOSED_DAYS_MAX; days++) {
    const bellMs = bellOf(start.plus({ days: direction * days }).toFormat('yyyy-MM-dd'))
    if (bellMs !== undefined && direction * (bellMs - fromMs) >= 0) return bellMs
  }
  return fromMs + direction * CLOSED_DAYS_MAX * 86_400_000
}
