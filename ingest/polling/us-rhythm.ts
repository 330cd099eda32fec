import { isUsMarketOpen, nextUsCloseMs, nextUsOpenMs } from '../exchange-clock.ts'
import type { Feed } from './feed.ts'
import { rhythm } from './rhythm.ts'

/**
 * What changes while the US exchanges trade: again and again until the bell, once more when the day is settled, then not
 * before they open.
 */
export const whileUsTrades = (everyMs: number, settledAfterMs: number): Feed['dueMs'] =>
  rhythm((lastAskedMs) => {
    const soonMs = lastAskedMs + everyMs
    if (isUsMarketOpen(soonMs)) return soonMs
    const settledMs = nextUsCloseMs(lastAskedMs - settledAfterMs) + settledAfterMs
    return Math.min(Math.max(settledMs, soonMs), nextUsOpenMs(soonMs))
  })

/** What is new once after each bell of the US exchanges, so long after it. */
export const onceAfterUsClose = (afterMs: number): Feed['dueMs'] =>
  rhythm((lastAskedMs) => nextUsCloseMs(lastAskedMs - afterMs) + afterMs)
