import type { SymbolInterest } from '../quota/quota.ts'
import type { Feed } from './feed.ts'

/** A feed that has waited this long past its time comes before any that is merely watched more: nobody starves. */
export const STARVED_AFTER_MS = 86_400_000

export interface DueFeed {
  readonly feed: Feed
  readonly dueMs: number
}

/**
 * Of the feeds that are due the one to ask next: who has starved first, then those whose symbol alert rules look at, then
 * the most watched, then those that are about no single symbol, then whoever has waited longest. Undefined where none is due.
 */
export function choose(due: readonly DueFeed[], interest: SymbolInterest, nowMs: number): Feed | undefined {
  const current = interest.current()
  const rank = ({ feed, dueMs }: DueFeed): readonly number[] => {
    const of = feed.symbol === undefined ? undefined : current.get(feed.symbol)
    return [
      nowMs - dueMs >= STARVED_AFTER_MS ? 1 : 0,
      of?.alertRules ?? 0,
      of?.watchers ?? 0,
      feed.symbol === undefined ? 1 : 0,
      -dueMs,
    ]
  }
  let best: { readonly feed: Feed; readonly rank: readonly number[] } | undefined
  for (const each of due) {
    if (each.dueMs > nowMs) continue
    const own = rank(each)
    if (best === undefined || isHigher(own, best.rank)) best = { feed: each.feed, rank: own }
  }
  return best?.feed
}

function isHigher(one: readonly number[], than: readonly number[]): boolean {
  for (const [i, value] of one.entries()) if (value !== than[i]) return value > than[i]
  return false
}
