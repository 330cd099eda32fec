import { lastUsCloseMs, localDate, NEW_YORK, nextUsCloseMs, usCloseMs } from '../../exchange-clock.ts'

/** A free plan is told a day once it has ended in New York, which is eleven hours after a bell that rings early. */
export const SETTLED_AFTER_MS = 11.5 * 3_600_000

/** The last day of trading that everybody may be told, like `2026-11-20`. */
export const settledDate = (nowMs: number): string => localDate(lastUsCloseMs(nowMs - SETTLED_AFTER_MS), NEW_YORK)

/** The closing bell; of a day on which nobody should have traded, when it would have been. */
export const bellOf = (date: string): number => usCloseMs(date) ?? Date.parse(`${date}T21:00:00Z`)

export const dateAfter = (date: string): string => localDate(nextUsCloseMs(bellOf(date)), NEW_YORK)
export const dateBefore = (date: string): string => localDate(lastUsCloseMs(bellOf(date) - 1), NEW_YORK)
