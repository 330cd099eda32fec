/** When the US exchanges close on a day, by the clock of New York. */
export type UsClose = '16:00' | '13:00'

const DAY_MS = 86_400_000

/**
 * The regular close of a day like `2026-11-27`; undefined where the US exchanges do not trade: weekends and the exchange's
 * holidays by its rules of today. Days of mourning and of storms are not in any rule.
 */
export function usCloseOf(date: string): UsClose | undefined {
  const dayMs = Date.parse(`${date}T00:00:00Z`)
  const weekday = new Date(dayMs).getUTCDay()
  if (!(weekday >= 1 && weekday <= 5)) return undefined
  const year = new Date(dayMs).getUTCFullYear()
  if (holidaysOf(year).has(dayMs)) return undefined
  return earlyClosesOf(year).includes(dayMs) ? '13:00' : '16:00'
}

function holidaysOf(year: number): ReadonlySet<number> {
  const newYear = Date.UTC(year, 0, 1)
  return new Set([
    // On a Saturday it is not observed at all: the Friday before belongs to the books of the old year.
    new Date(newYear).getUTCDay() === 6 ? newYear : observed(newYear),
    nthWeekday(year, 0, 1, 3),
    nthWeekday(year, 1, 1, 3),
    easterOf(year) - 2 * DAY_MS,
    lastMondayOfMay(year),
    ...(year >= 2022 ? [observed(Date.UTC(year, 5, 19))] : []),
    observed(Date.UTC(year, 6, 4)),
    nthWeekday(year, 8, 1, 1),
    thanksgivingOf(year),
    observed(Date.UTC(year, 11, 25)),
  ])
}

/** The day after Thanksgiving, and the eves of Independence Day and Christmas; a weekend or a holiday stays one. */
const earlyClosesOf = (year: number): readonly number[] => [
  thanksgivingOf(year) + DAY_MS,
  Date.UTC(year, 6, 3),
  Date.UTC(year, 11, 24),
]

const thanksgivingOf = (year: number): number => nthWeekday(year, 10, 4, 4)

/** A Saturday's holiday is kept on the Friday before it, a Sunday's on the Monday after it. */
function observed(dayMs: number): number {
  const weekday = new Date(dayMs).getUTCDay()
  return weekday === 6 ? dayMs - DAY_MS : weekday === 0 ? dayMs + DAY_MS : dayMs
}

function nthWeekday(year: number, month: number, weekday: number, nth: number): number {
  const firstMs = Date.UTC(year, month, 1)
  const untilFirst = (weekday - new Date(firstMs).getUTCDay() + 7) % 7
  return firstMs + (untilFirst + 7 * (nth - 1)) * DAY_MS
}

function lastMondayOfMay(year: number): number {
  const lastMs = Date.UTC(year, 4, 31)
  return lastMs - ((new Date(lastMs).getUTCDay() + 6) % 7) * DAY_MS
}

/** Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher). */
function easterOf(year: number): number {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const yearOfCentury = year % 100
  const skippedLeaps = Math.floor(century / 4)
  const moonCorrection = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * golden + century - skippedLeaps - moonCorrection + 15) % 30
  const untilSunday = (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - epact - (yearOfCentury % 4)) % 7
  const lateMoon = Math.floor((golden + 11 * epact + 22 * untilSunday) / 451)
  const fromMarch = epact + untilSunday - 7 * lateMoon + 114
  return Date.UTC(year, Math.floor(fromMarch / 31) - 1, (fromMarch % 31) + 1)
}
