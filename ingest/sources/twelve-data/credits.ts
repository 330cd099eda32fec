import type { Kind } from './kinds.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Of the day, at most so much for bars; the rest is for quotes. */
const BARS_SHARE = 1 / 3
/** Of one symbol: minutes six times, days once. */
const BARS_CREDITS_PER_DAY = 7
/** Of the credits for quotes, in parts; of who is not there, the others take the share. */
const QUOTE_PARTS: Readonly<Record<Kind, number>> = { stock: 6, currency: 3, coin: 1 }

export interface CreditPlan {
  /** Bars are asked for of so many symbols. */
  readonly barsMax: number
  /** How far apart two looks at a quote are at least. */
  readonly quoteEveryMs: Readonly<Record<Kind, number>>
}

/**
 * What a day's credits are used for. Pairs trade round the clock and would use up all of them before New York opens: they
 * have a share. Stocks are due each minute of their hours, and what is left of the day is spread over these.
 */
export function planCredits(kinds: readonly Kind[], creditsPerDay: number): CreditPlan {
  const barsMax = Math.floor((creditsPerDay * BARS_SHARE) / BARS_CREDITS_PER_DAY)
  const left = creditsPerDay - Math.min(kinds.length, barsMax) * BARS_CREDITS_PER_DAY
  const parts = [...new Set(kinds)].reduce((sum, kind) => sum + QUOTE_PARTS[kind], 0)
  const everyMs = (kind: Kind): number => {
    const count = kinds.filter((each) => each === kind).length
    if (count === 0) return MINUTE_MS
    return Math.max(MINUTE_MS, Math.ceil((count * DAY_MS * parts) / (left * QUOTE_PARTS[kind])))
  }
  return {
    barsMax,
    quoteEveryMs: { stock: MINUTE_MS, currency: everyMs('currency'), coin: everyMs('coin') },
  }
}
