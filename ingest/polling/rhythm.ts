import { isUsMarketOpen, nextUsCloseMs, nextUsOpenMs } from '../exchange-clock.ts'
import type { Feed } from './feed.ts'

/** What is asked for again so long after the last time. */
export const every =
  (everyMs: number): Feed['dueMs'] =>
  (nowMs, lastAskedMs) =>
    lastAskedMs === undefined ? nowMs : lastAskedMs + everyMs

/**
 * What changes while the US exchanges trade: again and again until the bell, once more when the day is settled, then not
 * before they open. For one feed each: it remembers the last answer, because it is asked far more often than it changes.
 */
export function whileUsTrades(everyMs: number, settledAfterMs: number): Feed['dueMs'] {
  let known: { readonly lastAskedMs: number; readonly dueMs: number } | undefined
  return (nowMs, lastAskedMs) => {
    if (lastAskedMs === undefined) return nowMs
    if (known?.lastAskedMs !== lastAskedMs)
      known = { lastAskedMs, dueMs: tradedDueMs(lastAskedMs, everyMs, settledAfterMs) }
    return known.dueMs
  }
}

function tradedDueMs(lastAskedMs: number, everyMs: number, settledAfterMs: number): number {
  const soonMs = lastAskedMs + everyMs
  if (isUsMarketOpen(soonMs)) return soonMs
  const settledMs = nextUsCloseMs(lastAskedMs - settledAfterMs) + settledAfterMs
  return Math.min(Math.max(settledMs, soonMs), nextUsOpenMs(soonMs))
}

/** What is new once after each bell of the US exchanges, so long after it. */
export const onceAfterUsClose =
  (afterMs: number): Feed['dueMs'] =>
  (nowMs, lastAskedMs) =>
    lastAskedMs === undefined ? nowMs : nextUsCloseMs(lastAskedMs - afterMs) + afterMs
