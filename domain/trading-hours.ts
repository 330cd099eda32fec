import { isFxPair, pairOf } from './currencies.ts'
import { usCloseOf } from './us-trading-days.ts'

/** Where a symbol trades, as far as its name says: a pair of coins, a pair of currencies, anything else on a US exchange. */
export type Market = 'US' | 'FX' | 'COIN'
export const MARKETS: readonly Market[] = ['US', 'FX', 'COIN']

export function marketOf(symbol: string): Market {
  const pair = pairOf(symbol)
  if (!pair) return 'US'
  return isFxPair(pair) ? 'FX' : 'COIN'
}

/** A stretch of `[startMs, endMs)` in which a market is either open or closed; closed ones may be told in pieces. */
export interface TradingPeriod {
  readonly isOpen: boolean
  readonly startMs: number
  readonly endMs: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const US_OPEN_MS = 9.5 * HOUR_MS
const US_CLOSE_MS = { '16:00': 16 * HOUR_MS, '13:00': 13 * HOUR_MS } as const
/** Currencies are traded from five in the afternoon on Sunday to the same on Friday, by the clock of New York. */
const FX_BELL_MS = 17 * HOUR_MS
const SUNDAY = 0
const FRIDAY = 5
const SATURDAY = 6
const ALWAYS: TradingPeriod = {
  isOpen: true,
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
}

/** Asked for times that lie close together, so the last answer of each market is mostly the next one too. */
const last = new Map<Market, TradingPeriod>()

/**
 * The period that the time falls in. US: the regular session, with the exchange's holidays and early closes (`usCloseOf`);
 * what is printed before and after it is sparse, and nobody misses it. Coins never close.
 */
export function tradingPeriodAt(market: Market, timeMs: number): TradingPeriod {
  if (market === 'COIN') return ALWAYS
  const known = last.get(market)
  if (known && timeMs >= known.startMs && timeMs < known.endMs) return known
  const period = market === 'US' ? usPeriod(timeMs) : fxPeriod(timeMs)
  last.set(market, period)
  return period
}

function usPeriod(timeMs: number): TradingPeriod {
  const { midnightMs } = newYorkDay(timeMs)
  const close = usCloseOf(dateOf(timeMs))
  if (close === undefined) return { isOpen: false, startMs: startOfDay(timeMs), endMs: endOfDay(timeMs) }
  const openMs = midnightMs + US_OPEN_MS
  const closeMs = midnightMs + US_CLOSE_MS[close]
  if (timeMs < openMs) return { isOpen: false, startMs: midnightMs, endMs: openMs }
  if (timeMs < closeMs) return { isOpen: true, startMs: openMs, endMs: closeMs }
  return { isOpen: false, startMs: closeMs, endMs: endOfDay(timeMs) }
}

function fxPeriod(timeMs: number): TradingPeriod {
  const { midnightMs, weekday } = newYorkDay(timeMs)
  const bellMs = midnightMs + FX_BELL_MS
  const endMs = endOfDay(timeMs)
  const startMs = startOfDay(timeMs)
  if (weekday === SATURDAY) return { isOpen: false, startMs, endMs }
  if (weekday === SUNDAY && timeMs < bellMs) return { isOpen: false, startMs, endMs: bellMs }
  if (weekday === FRIDAY && timeMs >= bellMs) return { isOpen: false, startMs: bellMs, endMs }
  // Open days follow each other without a break, so they are one period: from the bell of the Sunday before.
  const openMs = bellMs - weekday * DAY_MS
  return { isOpen: true, startMs: openMs, endMs: openMs + 5 * DAY_MS }
}

/** Clocks change on Sundays at two in the morning: on all days on which something opens, noon has the offset of the day. */
function newYorkDay(timeMs: number): { midnightMs: number; weekday: number } {
  const localMs = timeMs + newYorkOffsetMs(timeMs)
  const dayMs = Math.floor(localMs / DAY_MS) * DAY_MS
  const midnightMs = dayMs - newYorkOffsetMs(dayMs + DAY_MS / 2 - newYorkOffsetMs(timeMs))
  return { midnightMs, weekday: new Date(dayMs).getUTCDay() }
}

const dateOf = (timeMs: number): string => new Date(timeMs + newYorkOffsetMs(timeMs)).toISOString().slice(0, 10)

/** At the earliest the last midnight there, but for an hour on the day on which clocks are put forward: nothing opens then. */
function startOfDay(timeMs: number): number {
  const offsetMs = newYorkOffsetMs(timeMs)
  return Math.floor((timeMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs
}

/** At the latest the next midnight there. An hour less where the day is longer than it seems; then it is told in two pieces. */
function endOfDay(timeMs: number): number {
  const offsetMs = newYorkOffsetMs(timeMs)
  return (Math.floor((timeMs + offsetMs) / DAY_MS) + 1) * DAY_MS - offsetMs
}

/** By the rule since 2007: summer time from the second Sunday of March to the first of November, both at 02:00. */
function newYorkOffsetMs(timeMs: number): number {
  const year = new Date(timeMs).getUTCFullYear()
  const startMs = nthSunday(year, 2, 2) + 7 * HOUR_MS
  const endMs = nthSunday(year, 10, 1) + 6 * HOUR_MS
  return timeMs >= startMs && timeMs < endMs ? -4 * HOUR_MS : -5 * HOUR_MS
}

function nthSunday(year: number, month: number, nth: number): number {
  const firstMs = Date.UTC(year, month, 1)
  const untilSunday = (7 - new Date(firstMs).getUTCDay()) % 7
  return firstMs + (untilSunday + 7 * (nth - 1)) * DAY_MS
}
