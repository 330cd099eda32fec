import type { KeyRing } from '../quota/key-ring.ts'
import type { Interest } from '../quota/quota.ts'
import type { VendorError } from '../vendor-error.ts'
import type { Feed } from './feed.ts'
import { paceMs } from './pace.ts'
import { type FeedTimes, urgencyOf, weightOf } from './wanting.ts'

/** After an outage. Doubled each time, and then tried for ever. */
const OUTAGE_MS_MIN = 1_000
const OUTAGE_MS_MAX = 300_000
/** After an answer that could not be read: asking again at once would bring the same. */
const ANSWER_MS_MIN = 30_000
const ANSWER_MS_MAX = 6 * 3_600_000
/** What is kept of a day's budget for later, when new symbols are looked at out of turn. */
const KEPT_SHARE = 0.2
/** The rest of the day is looked at again after so long. */
const PACE_GOOD_FOR_MS = 300_000
/** The market may close meanwhile, or a release be announced. */
const DUE_GOOD_FOR_MS = 15_000

/** A feed of this lane that is neither put aside nor being asked. */
export interface Candidate {
  readonly feed: Feed
  readonly times: FeedTimes
}

export type Turn =
  | { readonly feed: Feed }
  /** Nobody now; look again then, or when something has changed. `noRoom`: somebody is due, but the budget is used up. */
  | { readonly nextMs: number; readonly noRoom: boolean }

/**
 * Who is asked next within one budget. Of those that are due the most wanted; and where the day's budget is not enough for
 * all, not before its turn in the day.
 */
export class Lane {
  readonly quota: KeyRing
  /** Why nothing comes. */
  trouble: string | undefined
  /** What those who are being asked may cost. */
  #costUnderWay = 0
  #notBeforeMs = 0
  #outages = 0
  readonly #feedFailures = new Map<string, { readonly count: number; readonly notBeforeMs: number }>()
  /** Rhythms know holidays and time zones, and are asked for by the hundred. */
  readonly #rhythm = new Map<
    string,
    { readonly askedMs?: number; readonly foundAtMs: number; readonly dueMs: number }
  >()
  #pace = { left: -1, feeds: -1, foundAtMs: 0, everyMs: 0 }

  constructor(quota: KeyRing) {
    this.quota = quota
  }

  /** When it is its time, whatever the budget says. */
  dueMs({ feed, times }: Candidate, nowMs: number): number {
    const failedMs = this.#feedFailures.get(feed.name)?.notBeforeMs ?? 0
    return Math.max(this.#rhythmMs(feed, times, nowMs), failedMs, this.#notBeforeMs)
  }

  next(candidates: readonly Candidate[], interest: ReadonlyMap<string, Interest>, nowMs: number): Turn {
    const due = candidates.filter((candidate) => this.dueMs(candidate, nowMs) <= nowMs)
    if (due.length === 0)
      return { nextMs: Math.min(...candidates.map((candidate) => this.dueMs(candidate, nowMs))), noRoom: false }
    const slotMs = this.#slotMs(candidates, nowMs)
    const inTurn = slotMs <= nowMs ? due : due.filter((candidate) => this.#isEager(candidate, interest, nowMs))
    const chosen = mostWanted(inTurn, interest, nowMs)
    if (!chosen) return { nextMs: slotMs, noRoom: false }
    const roomMs = this.quota.freeAtMs(this.#costUnderWay + chosen.cost, nowMs)
    return roomMs <= nowMs ? { feed: chosen } : { nextMs: roomMs, noRoom: true }
  }

  /** The next look at each, as far as can be said now. */
  plan(candidates: readonly Candidate[], interest: ReadonlyMap<string, Interest>, nowMs: number): Map<Feed, number> {
    const everyMs = this.#everyMs(candidates, nowMs)
    const firstMs = Math.max(this.#slotMs(candidates, nowMs), this.quota.freeAtMs(1, nowMs))
    const inOrder = candidates
      .map((candidate) => ({
        candidate,
        dueMs: Math.max(nowMs, this.dueMs(candidate, nowMs)),
        urgency: urgencyOf(weightOf(candidate.feed, interest), candidate.times, nowMs),
      }))
      .toSorted((a, b) => a.dueMs - b.dueMs || b.urgency - a.urgency)
    const plan = new Map<Feed, number>()
    let slotMs = firstMs
    for (const { candidate, dueMs } of inOrder) {
      slotMs = Math.max(slotMs, dueMs)
      plan.set(candidate.feed, slotMs)
      slotMs += everyMs * candidate.feed.cost
    }
    return plan
  }

  began(feed: Feed): void {
    this.#costUnderWay += feed.cost
  }

  ended(feed: Feed): void {
    this.#costUnderWay -= feed.cost
  }

  succeeded(feed: Feed): void {
    this.#feedFailures.delete(feed.name)
    this.#outages = 0
    this.trouble = undefined
  }

  keepOnly(names: ReadonlySet<string>): void {
    for (const known of [this.#rhythm, this.#feedFailures])
      for (const name of known.keys()) if (!names.has(name)) known.delete(name)
  }

  /** An outage is the vendor's, and so is a limit that the budget has not heard of; a wrong answer is the feed's alone. */
  failed(feed: Feed, error: VendorError, nowMs: number): void {
    this.trouble = error.message
    if (error.code === 'VENDOR_ANSWER') this.#holdBack(feed, nowMs, ANSWER_MS_MIN, ANSWER_MS_MAX)
    else if (error.code !== 'VENDOR_LIMIT') {
      this.#holdBack(feed, nowMs, OUTAGE_MS_MIN, OUTAGE_MS_MAX)
      this.#stayAway(error.retryAtMs, nowMs)
    } else if (this.quota.freeAtMs(1, nowMs) <= nowMs)
      // Another key has room; where there is but one, the budget has not heard of it.
      this.#stayAway(this.quota.keys.length > 1 ? undefined : error.retryAtMs, nowMs)
  }

  #stayAway(untilMs: number | undefined, nowMs: number): void {
    const pausedMs = nowMs + pauseMs(++this.#outages, OUTAGE_MS_MIN, OUTAGE_MS_MAX)
    this.#notBeforeMs = Math.max(pausedMs, untilMs ?? 0)
  }

  #rhythmMs(feed: Feed, { askedMs }: FeedTimes, nowMs: number): number {
    const known = this.#rhythm.get(feed.name)
    const isGood = known !== undefined && nowMs >= known.foundAtMs && nowMs < known.foundAtMs + DUE_GOOD_FOR_MS
    if (isGood && known.askedMs === askedMs) return known.dueMs
    const dueMs = feed.dueMs(nowMs, askedMs)
    this.#rhythm.set(feed.name, { foundAtMs: nowMs, dueMs, ...(askedMs !== undefined && { askedMs }) })
    return dueMs
  }

  /** Not for longer than until something new is due, for which all may be well. */
  #holdBack(feed: Feed, nowMs: number, msMin: number, msMax: number): void {
    const count = (this.#feedFailures.get(feed.name)?.count ?? 0) + 1
    const notBeforeMs = Math.min(nowMs + pauseMs(count, msMin, msMax), Math.max(nowMs, feed.dueMs(nowMs, nowMs)))
    this.#feedFailures.set(feed.name, { count, notBeforeMs })
  }

  /** A watched symbol of which nothing is known does not wait for its turn in the day, as long as enough is left for it. */
  #isEager({ feed, times }: Candidate, interest: ReadonlyMap<string, Interest>, nowMs: number): boolean {
    const day = this.quota.today(nowMs)
    const isWatched = feed.symbols?.some((symbol) => interest.has(symbol))
    if (times.askedMs !== undefined || !isWatched || !day) return false
    return day.left - this.#costUnderWay - feed.cost >= day.requests * KEPT_SHARE
  }

  /** When the day's budget allows the next request. */
  #slotMs(candidates: readonly Candidate[], nowMs: number): number {
    const everyMs = this.#everyMs(candidates, nowMs)
    if (everyMs === 0) return nowMs
    const lastMs = this.#costUnderWay > 0 ? nowMs : this.quota.lastMs
    return lastMs === undefined ? nowMs : Math.max(nowMs, lastMs + everyMs)
  }

  #everyMs(candidates: readonly Candidate[], nowMs: number): number {
    const day = this.quota.today(nowMs)
    if (!day) return 0
    const { left } = day
    const isGood = nowMs >= this.#pace.foundAtMs && nowMs < this.#pace.foundAtMs + PACE_GOOD_FOR_MS
    if (!isGood || this.#pace.left !== left || this.#pace.feeds !== candidates.length) {
      const feeds = candidates.map(({ feed, times }) => ({ feed, ...times }))
      this.#pace = { left, feeds: candidates.length, foundAtMs: nowMs, everyMs: paceMs(feeds, day, nowMs) }
    }
    return this.#pace.everyMs
  }
}

function mostWanted(
  candidates: readonly Candidate[],
  interest: ReadonlyMap<string, Interest>,
  nowMs: number,
): Feed | undefined {
  let best: { readonly feed: Feed; readonly urgency: number } | undefined
  for (const { feed, times } of candidates) {
    const urgency = urgencyOf(weightOf(feed, interest), times, nowMs)
    if (best === undefined || urgency > best.urgency) best = { feed, urgency }
  }
  return best?.feed
}

const pauseMs = (failures: number, msMin: number, msMax: number): number =>
  Math.round(Math.min(msMax, msMin * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random() / 2))
