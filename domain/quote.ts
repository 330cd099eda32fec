/** The latest price state of an instrument: its newest tick by (event time, seq). */
export interface Quote {
  readonly symbol: string
  readonly price: number
  readonly size: number
  readonly eventTimeMs: number
  readonly seq: number
  /** Close of the last bar before the UTC day of `eventTimeMs`, at most seven days back. */
  readonly previousClose?: number
}

export const change = (quote: Quote): number | undefined =>
  quote.previousClose === undefined ? undefined : quote.price - quote.previousClose

/** In percent: 1.5 means up one and a half percent. */
export const changePercent = (quote: Quote): number | undefined =>
  quote.previousClose === undefined ? undefined : ((quote.price - quote.previousClose) / quote.previousClose) * 100
