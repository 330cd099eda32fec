import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { Instrument } from '../../domain/instrument.ts'
import type { Quote } from '../../domain/quote.ts'

/** What this subgraph asks of the store. `platform/store` answers; tests answer from memory. */
export interface InstrumentStore {
  /** Those that exist, by symbol. */
  find(symbols: readonly string[]): Promise<Map<string, Instrument>>
  /** In order of symbol, after the given one. */
  page(query: {
    readonly symbols?: readonly string[]
    readonly first: number
    readonly after?: string
  }): Promise<{ items: Instrument[]; hasNext: boolean }>
  search(text: string, first: number): Promise<Instrument[]>
}

export interface QuoteStore {
  /** Those that exist, by symbol. */
  find(symbols: readonly string[]): Promise<Map<string, Quote>>
}

export interface BarStore {
  /** Oldest first: `fromMs <= startMs < toMs`, and after `afterMs` where that is given. */
  page(query: {
    readonly symbol: string
    readonly interval: BarInterval
    readonly fromMs: number
    readonly toMs: number
    readonly first: number
    readonly afterMs?: number
  }): Promise<{ items: Bar[]; hasNext: boolean }>
}
