import type { Interest } from '../quota/quota.ts'
import type { Feed } from './feed.ts'

// How often each feed is asked, against the others, when not all of them can be asked as often as they would like.
const OTHERS_WEIGHT = 1
/** What is about no certain symbol, such as the headlines, is of use to as many as watch one. */
const WATCHED_WEIGHT = 5
const ALERTED_WEIGHT = 25
/** What nobody has ever asked for is worth as much as what was asked for so long ago. */
const NEVER_ASKED_MS = 86_400_000

export interface FeedTimes {
  /** When the last ask that was answered began. */
  readonly askedMs?: number
  /** When we first had it to ask for. */
  readonly seenMs: number
}

/** What tells of several symbols at once is worth what each of them is. */
export function weightOf({ symbols }: Feed, interest: ReadonlyMap<string, Interest>): number {
  if (symbols === undefined || symbols.length === 0) return WATCHED_WEIGHT
  return symbols.reduce((sum, symbol) => sum + weightOfSymbol(interest.get(symbol)), 0)
}

/** Alert rules count for more than watchers, and watchers for more than nobody; more of them for more, up to twice. */
function weightOfSymbol({ alertRules, watchers }: Interest = { alertRules: 0, watchers: 0 }): number {
  if (alertRules > 0) return ALERTED_WEIGHT * upToTwice(alertRules)
  return watchers > 0 ? WATCHED_WEIGHT * upToTwice(watchers) : OTHERS_WEIGHT
}

const upToTwice = (count: number) => 1 + count / (count + 10)

/**
 * How much it is its turn: its weight times how long it has waited. So who weighs five times as much is asked five times as
 * often, and nobody starves.
 */
export const urgencyOf = (weight: number, { askedMs, seenMs }: FeedTimes, nowMs: number): number =>
  weight * (askedMs === undefined ? nowMs - seenMs + NEVER_ASKED_MS : nowMs - askedMs)
