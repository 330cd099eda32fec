import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { DataQuality, DataQualityKind } from '../../domain/data-quality.ts'
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

/** When sources with few requests mean to ask for a symbol next. */
export interface UpdatePlanStore {
  /** The soonest of all sources, by symbol; symbols in nobody's plan are left out. */
  find(symbols: readonly string[]): Promise<Map<string, { readonly nextUpdateAtMs: number }>>
}

/** As stored: the id tells two of one moment apart. */
export interface StoredDataQuality extends DataQuality {
  readonly id: number
}

export interface DataQualityStore {
  /** Newest first, and by id where two are of one moment: `fromMs <= eventTimeMs < toMs`. Each list: any of these. */
  page(query: {
    readonly symbols?: readonly string[]
    readonly sources?: readonly string[]
    readonly kinds?: readonly DataQualityKind[]
    readonly fromMs?: number
    readonly toMs?: number
    readonly first: number
    readonly after?: Pick<StoredDataQuality, 'eventTimeMs' | 'id'>
  }): Promise<{ items: StoredDataQuality[]; hasNext: boolean }>
}
