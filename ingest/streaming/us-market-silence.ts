import { isUsMarketOpen } from '../exchange-clock.ts'

/** How long a stream of liquid US stocks may be without a print: as long as it likes while the exchanges are closed. */
export const usMarketSilence =
  (limitMs: number) =>
  (nowMs: number): number | undefined =>
    isUsMarketOpen(nowMs) ? limitMs : undefined
