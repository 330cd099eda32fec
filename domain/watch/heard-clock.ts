import { isSymbol } from '../instrument.ts'
import { MARKETS, type Market, tradingPeriodAt } from '../trading-hours.ts'
import { ORDER_RULE } from './order.ts'

/** The clock moves in steps of at least this much event time, and with each step somebody looks who is quiet. */
const STEP_MS = 10_000
/** So much of a pause of the whole source counts as having been heard. */
const PAUSE_COUNTED_MAX_MS = 30_000
/** A watermark that so many facts on end are an hour behind of was a lie. */
const BEHIND_MS = 3_600_000
const BEHIND_RUN_MAX = 1_000

/**
 * For how long a source has been telling anything, in event time: it goes on with whatever symbol the source tells, stands still
 * while the source is silent, and for each market only goes on while that market is open. Who is quiet by this clock is quiet
 * while others are not.
 */
export interface HeardClock {
  watermarkMs: number
  steppedMs: number
  behindRun: number
  /** In the order of MARKETS. */
  readonly heardMs: number[]
}

export const openClock = (watermarkMs: number): HeardClock => ({
  watermarkMs,
  steppedMs: watermarkMs,
  behindRun: 0,
  heardMs: MARKETS.map(() => 0),
})

export const heardMs = (clock: HeardClock, market: Market): number => clock.heardMs[MARKETS.indexOf(market)]

/** The watermark that an event time stands for. */
export const watermarkOf = (eventTimeMs: number): number => eventTimeMs - ORDER_RULE.allowanceMs

/** The source has passed the event time. True where the clock has made a step. */
export function passTime(clock: HeardClock, watermarkMs: number): boolean {
  if (watermarkMs <= clock.watermarkMs) {
    if (clock.watermarkMs - watermarkMs < BEHIND_MS) clock.behindRun = 0
    else if (++clock.behindRun >= BEHIND_RUN_MAX) restart(clock, watermarkMs)
    return false
  }
  clock.behindRun = 0
  clock.watermarkMs = watermarkMs
  const passedMs = watermarkMs - clock.steppedMs
  if (passedMs < STEP_MS) return false
  clock.steppedMs = watermarkMs
  const countedMs = Math.min(passedMs, PAUSE_COUNTED_MAX_MS)
  for (let i = 0; i < MARKETS.length; i++)
    if (tradingPeriodAt(MARKETS[i], watermarkMs).isOpen) clock.heardMs[i] += countedMs
  return true
}

function restart(clock: HeardClock, watermarkMs: number): void {
  clock.behindRun = 0
  clock.watermarkMs = watermarkMs
  clock.steppedMs = watermarkMs
}

/**
 * Whose clock a source goes by. A venue whose prints are numbered product by product is a source for each, `kraken:BTC-USD`, and
 * all of them are one venue. Tapes are not, whatever they are called: each has a time of its own.
 */
export function clockOf(source: string): string {
  const colon = source.indexOf(':')
  if (colon < 0) return source
  const teller = source.slice(0, colon)
  return teller !== 'replay' && isSymbol(source.slice(colon + 1)) ? teller : source
}
