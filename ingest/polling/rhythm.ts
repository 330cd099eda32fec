import type { Feed } from './feed.ts'

/**
 * A rhythm that follows from when a feed was asked last: at once where it never was. For one feed each: it remembers the
 * last answer, because it is asked far more often than it changes, and holidays and time zones are dear.
 */
export function rhythm(dueAfter: (lastAskedMs: number) => number): Feed['dueMs'] {
  let known: { readonly lastAskedMs: number; readonly dueMs: number } | undefined
  return (nowMs, lastAskedMs) => {
    if (lastAskedMs === undefined) return nowMs
    if (known?.lastAskedMs !== lastAskedMs) known = { lastAskedMs, dueMs: dueAfter(lastAskedMs) }
    return known.dueMs
  }
}

/** What is asked for again so long after the last time. */
export const every = (everyMs: number): Feed['dueMs'] => rhythm((lastAskedMs) => lastAskedMs + everyMs)
