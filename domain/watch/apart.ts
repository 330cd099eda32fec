import { NEVER_MS } from './average.ts'

/**
 * Two sources of one instrument disagree where the newest prices of both, told within `togetherMs` of each other, differ by
 *
 *     |ln(own / other)| > max(apartMin, timesUsual · usualApart)
 *
 * at a print of the one that has moved away and, until it ends, at each print of it that can be compared, for at least
 * `lastsMs`. It ends at half of that (hysteresis, as in a Schmitt trigger), so one disagreement is one, however long. A source is
 * compared with the nearest of the others: of three that tell one instrument only the one that is alone is said to be apart.
 * Nobody is judged by who is apart or about to be: the others do not disagree with anybody because of it. What is usual, with
 * the nearest of all, is learnt over `memoryMs` of event time, and no difference counts for more than the bound of the moment, so a
 * difference that stays (another currency of settlement, a closed border) becomes usual in about an hour.
 */
export interface ApartRule {
  /** As a logarithm; 0.01 is about 1 %. 0.0001 to 1. */
  readonly apartMin: number
  /** 2 to 100. */
  readonly timesUsual: number
  /** 100 ms to a minute. */
  readonly togetherMs: number
  /** 0 to an hour. A market that moves fast is not told by all at once. */
  readonly lastsMs: number
  /** A minute to a week. */
  readonly memoryMs: number
  /** After one that was told, in event time, 1 s to a day. */
  readonly cooldownMs: number
}

export const APART_RULE: ApartRule = {
  apartMin: 0.01,
  timesUsual: 5,
  togetherMs: 5_000,
  lastsMs: 2_000,
  memoryMs: 3_600_000,
  cooldownMs: 300_000,
}

export interface ApartMemory {
  price: number
  newestMs: number
  usualApart: number
  /** Its newest event time at the last comparison, at first that of its first print. */
  comparedMs: number
  /** Since when it is on its own; NEVER_MS: it is not. */
  apartSinceMs: number
  /** It has lasted, and was counted. */
  isApart: boolean
  apartToldMs: number
}

export interface Apart<M> {
  readonly other: M
  readonly apart: number
  /** The most that would have been usual. */
  readonly bound: number
  readonly sinceMs: number
  readonly isSuppressed: boolean
}

/** The print is `own`'s newest already. */
export function judgeApart<M extends ApartMemory>(
  own: M,
  all: readonly M[],
  rule: ApartRule = APART_RULE,
): Apart<M> | undefined {
  const nearestOfAll = nearest(own, all, rule.togetherMs, false)
  if (!nearestOfAll) return undefined
  const bound = Math.max(rule.apartMin, rule.timesUsual * own.usualApart)
  learn(own, Math.min(distance(own, nearestOfAll), bound), rule)
  const other = nearest(own, all, rule.togetherMs, true)
  if (!other) return undefined
  const apart = distance(own, other)
  if (own.apartSinceMs === NEVER_MS) {
    if (apart > bound) own.apartSinceMs = own.newestMs
    return undefined
  }
  if (apart < bound / 2) {
    agree(own)
    return undefined
  }
  const sinceMs = own.apartSinceMs
  if (own.isApart || own.newestMs - sinceMs < rule.lastsMs) return undefined
  own.isApart = true
  const isSuppressed = sinceMs - own.apartToldMs < rule.cooldownMs
  if (!isSuppressed) own.apartToldMs = sinceMs
  return { other, apart, bound, sinceMs, isSuppressed }
}

/** Nobody has said anything of it. Also when a source is forgotten: those left may have been compared with it alone. */
export function agree(memory: ApartMemory): void {
  memory.apartSinceMs = NEVER_MS
  memory.isApart = false
}

const distance = (a: ApartMemory, b: ApartMemory): number => Math.abs(Math.log(a.price / b.price))

function nearest<M extends ApartMemory>(
  own: M,
  all: readonly M[],
  togetherMs: number,
  onlyTrusted: boolean,
): M | undefined {
  let found: M | undefined
  let least = 0
  for (const other of all) {
    if (other === own || (onlyTrusted && other.apartSinceMs !== NEVER_MS)) continue
    if (Math.abs(own.newestMs - other.newestMs) > togetherMs) continue
    const ratio = own.price < other.price ? other.price / own.price : own.price / other.price
    if (found && ratio >= least) continue
    found = other
    least = ratio
  }
  return found
}

/** By time and not by count: a thousand prints of one minute know no more than those of one minute. */
function learn(own: ApartMemory, apart: number, { memoryMs, togetherMs }: ApartRule): void {
  const elapsedMs = Math.min(own.newestMs - own.comparedMs, togetherMs)
  own.usualApart += (elapsedMs / memoryMs) * (apart - own.usualApart)
  own.comparedMs = own.newestMs
}
