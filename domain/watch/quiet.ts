import { type Market, tradingPeriodAt } from '../trading-hours.ts'
import { weightOf } from './average.ts'

/**
 * A symbol of a source is stale where the source has been heard, while the market of the symbol was open, for longer than
 *
 *     allowed = max(quietMsMin, timesUsual · usualGap)
 *
 * since the symbol's last print. The usual gap is the average time between prints, those within a second counted as one. If
 * prints came at random at that rate (Poisson), a gap of 20 would happen once in half a billion; real ones come in bursts,
 * hence the minimum. Nobody is judged whose allowance is over `quietMsMax`: too little is known. A gap counts for no more than
 * `clipTimes` of the usual one, so one pause does not change what is usual, and a symbol that trades less from now on does.
 */
export interface QuietRule {
  /** 5 to 1,000. */
  readonly timesUsual: number
  /** A minute to a day. */
  readonly quietMsMin: number
  /** `quietMsMin` to a week. */
  readonly quietMsMax: number
  /** Prints to know before anything is judged. 2 to 10,000. */
  readonly warmUpPrints: number
  /** 10 to 10,000. */
  readonly memoryGaps: number
  /** 2 to 100. */
  readonly clipTimes: number
  /** After one that was told, in event time, `quietMsMin` to a week. */
  readonly cooldownMs: number
}

export const QUIET_RULE: QuietRule = {
  timesUsual: 20,
  quietMsMin: 180_000,
  quietMsMax: 4 * 3_600_000,
  warmUpPrints: 50,
  memoryGaps: 50,
  clipTimes: 10,
  cooldownMs: 900_000,
}

/** Prints within this are one: they are what one order was filled with. */
export const GAP_MS_MIN = 1_000

export interface GapMemory {
  newestMs: number
  prints: number
  gaps: number
  usualGapMs: number
  /** By the clock of the source, at the last print. */
  heardMs: number
  isStale: boolean
  /** Event time of the last print before the stale time that was told. */
  staleToldMs: number
}

/** A print came. Before `newestMs` moves. Gaps over a night or a weekend are none. */
export function learnGap(
  memory: GapMemory,
  market: Market,
  eventTimeMs: number,
  heardMs: number,
  rule: QuietRule = QUIET_RULE,
): void {
  memory.heardMs = heardMs
  memory.isStale = false
  if (memory.prints < rule.warmUpPrints) memory.prints++
  const gapMs = eventTimeMs - memory.newestMs
  if (gapMs < GAP_MS_MIN) return
  const { isOpen, startMs } = tradingPeriodAt(market, eventTimeMs)
  if (!isOpen || memory.newestMs < startMs) return
  const countedMs = memory.gaps === 0 ? gapMs : Math.min(gapMs, rule.clipTimes * memory.usualGapMs)
  memory.usualGapMs += weightOf(memory.gaps, rule.memoryGaps) * (countedMs - memory.usualGapMs)
  if (memory.gaps < rule.memoryGaps) memory.gaps++
}

export interface Quiet {
  readonly allowedMs: number
  readonly isSuppressed: boolean
}

/** The clock of the source has moved on. Answers once for each time that the symbol is quiet. */
export function judgeQuiet(memory: GapMemory, heardMs: number, rule: QuietRule = QUIET_RULE): Quiet | undefined {
  if (memory.isStale || memory.prints < rule.warmUpPrints) return undefined
  const quietMs = heardMs - memory.heardMs
  if (quietMs <= rule.quietMsMin) return undefined
  const allowedMs = Math.max(rule.quietMsMin, rule.timesUsual * memory.usualGapMs)
  if (quietMs <= allowedMs || allowedMs > rule.quietMsMax) return undefined
  memory.isStale = true
  const isSuppressed = memory.newestMs - memory.staleToldMs < rule.cooldownMs
  if (!isSuppressed) memory.staleToldMs = memory.newestMs
  return { allowedMs, isSuppressed }
}
