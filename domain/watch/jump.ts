import { weightOf } from './average.ts'

/**
 * A print jumps where its logarithmic return from the print before it is more than `timesUsual` of the symbol's usual moves at
 * that source, and more than `moveMin`:
 *
 *     |ln(price / before)| > max(moveMin, timesUsual · usualMove · √max(1, elapsed / usualGap))
 *
 * The usual move is the average size of the moves that were not zero: most prints repeat the price before them, and an
 * average with them would call every change a jump. It is robust as in Gelper, Fried and Croux (Robust Forecasting with
 * Exponential and Holt-Winters Smoothing, 2010): no move counts for more than `clipTimes` of the usual one, so an outlier
 * hardly moves it, and yet a source that keeps on jumping becomes usual within some fifty moves. `moveMin` is the granularity of
 * Brownlees and Gallo (Financial Econometric Analysis at Ultra-High Frequency, 2006), without which a price that hardly moves
 * makes any move extreme. Moves grow with the root of time, so what happened over a night or a pause is no jump.
 */
export interface JumpRule {
  /** 3 to 100. */
  readonly timesUsual: number
  /** As a logarithm; 0.003 is about 0.3 %. 0 to 1. */
  readonly moveMin: number
  /** Moves to know before anything is judged. 2 to 10,000. */
  readonly warmUpMoves: number
  /** 10 to 10,000. */
  readonly memoryMoves: number
  /** 2 to `timesUsual`. */
  readonly clipTimes: number
  /** After one that was told, so that there and back is one jump. In event time, 1 s to a day. */
  readonly cooldownMs: number
}

export const JUMP_RULE: JumpRule = {
  timesUsual: 12,
  moveMin: 0.003,
  warmUpMoves: 20,
  memoryMoves: 50,
  clipTimes: 4,
  cooldownMs: 60_000,
}

export interface MoveMemory {
  /** Of the print before. */
  price: number
  newestMs: number
  moves: number
  usualMove: number
  readonly usualGapMs: number
  jumpToldMs: number
}

export interface Jump {
  /** Signed logarithm. */
  readonly move: number
  /** What would have been usual for it. */
  readonly usual: number
  readonly fromPrice: number
  /** Too soon after one that was told. */
  readonly isSuppressed: boolean
}

/** Judges the print against what was before it, and learns its move. Takes nothing else from the print. */
export function judgeMove(
  memory: MoveMemory,
  price: number,
  eventTimeMs: number,
  rule: JumpRule = JUMP_RULE,
): Jump | undefined {
  if (price === memory.price) return undefined
  const fromPrice = memory.price
  const move = Math.log(price / fromPrice)
  const size = Math.abs(move)
  const pause = (eventTimeMs - memory.newestMs) / memory.usualGapMs
  const stretch = pause > 1 ? Math.sqrt(pause) : 1
  const usual = memory.usualMove * stretch
  const isWarm = memory.moves >= rule.warmUpMoves
  const isJump = isWarm && size > rule.moveMin && size > rule.timesUsual * usual
  learn(memory, size / stretch, isWarm, rule)
  if (!isJump) return undefined
  const isSuppressed = eventTimeMs - memory.jumpToldMs < rule.cooldownMs
  if (!isSuppressed) memory.jumpToldMs = eventTimeMs
  return { move, usual, fromPrice, isSuppressed }
}

function learn(memory: MoveMemory, size: number, isWarm: boolean, { memoryMoves, clipTimes }: JumpRule): void {
  const counted = isWarm ? Math.min(size, clipTimes * memory.usualMove) : size
  memory.usualMove += weightOf(memory.moves, memoryMoves) * (counted - memory.usualMove)
  if (memory.moves < memoryMoves) memory.moves++
}
