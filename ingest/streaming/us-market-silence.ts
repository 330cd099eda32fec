import { isUsMarketOpen } from '../exchange-clock.ts'

/**
 * How long a stream of liquid US stocks may be without a print: so long while the exchanges are open and have been open for
 * that long, and as long as it likes while they are closed.
 */
export const usMarketSilence =
  (limitMs: number) =>
  (nowMs: number): number | undefined =>
    isUsMarketOpen(nowMs) && isUsMarketOpen(nowMs - limitMs) ? limitMs : undefined
