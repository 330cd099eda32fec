import type { Feed } from './feed.ts'

export interface PacedFeed {
  readonly feed: Feed
  readonly askedMs?: number
}

export interface DayLeft {
  readonly left: number
  readonly endsAtMs: number
}

/** Where a day has more left than this, asking feeds as they are due is the better plan, and looking ahead costs too much. */
const PACED_LEFT_MAX = 1_000
/** A feed that says it is due at once, again and again, is taken to mean this. */
const DUE_STEP_MS = 60_000
/** How finely the rest of the day is looked at, and by how many feeds. */
const STEPS = 48
const LOOKERS_MAX = 16

/**
 * How far apart requests should be, so that what is left of the day's budget lasts for all of the day in which there is
 * anything new to ask for. Zero where all that the feeds want fits in anyway: then nothing is gained by waiting.
 */
export function paceMs(feeds: readonly PacedFeed[], day: DayLeft, nowMs: number): number {
  if (day.left > PACED_LEFT_MAX || day.left === 0) return 0
  const soonest = feeds
    .map((paced) => ({ ...paced, dueMs: Math.max(nowMs, paced.feed.dueMs(nowMs, paced.askedMs)) }))
    .toSorted((a, b) => a.dueMs - b.dueMs)
  if (!isScarce(soonest, day)) return 0
  return usefulMs(soonest.slice(0, LOOKERS_MAX), day.endsAtMs, nowMs) / (day.left + 1)
}

/** Whether the feeds, each asked whenever it is due, would want more than is left. */
function isScarce(feeds: readonly (PacedFeed & { readonly dueMs: number })[], { left, endsAtMs }: DayLeft): boolean {
  let wanted = 0
  for (const { feed, dueMs } of feeds) {
    let atMs = dueMs
    while (atMs < endsAtMs) {
      wanted += feed.cost
      if (wanted > left) return true
      const nextMs = feed.dueMs(atMs, atMs)
      atMs = nextMs > atMs ? nextMs : atMs + DUE_STEP_MS
    }
  }
  return false
}

/** How much of the time until then at least one of the feeds is due. */
function usefulMs(feeds: readonly PacedFeed[], untilMs: number, nowMs: number): number {
  const stepMs = (untilMs - nowMs) / STEPS
  let useful = 0
  for (let step = 0; step < STEPS; step++) {
    const atMs = nowMs + (step + 0.5) * stepMs
    if (feeds.some(({ feed, askedMs }) => feed.dueMs(atMs, askedMs) <= atMs)) useful++
  }
  return Math.max(1, useful) * stepMs
}
