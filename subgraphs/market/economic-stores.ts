import type { EconomicRelease, EconomicSeries, Observation } from '../../domain/observation.ts'

// What this subgraph asks of the store about the economy. Days are like 2026-11-20.

export interface SeriesStore {
  /** Those that exist, by id. */
  find(ids: readonly string[]): Promise<Map<string, EconomicSeries>>
  /** In order of id, after the given one; `search`: every word of it is in the id or the title. */
  page(query: {
    readonly ids?: readonly string[]
    readonly search?: string
    readonly first: number
    readonly after?: string
  }): Promise<{ items: EconomicSeries[]; hasNext: boolean }>
}

/** As stored: the series is known by its id. */
export type StoredObservation = Omit<Observation, 'series'> & { readonly seriesId: string }

export interface ObservationStore {
  /**
   * One for each period, the oldest first: the newest vintage, or the one known on `asOf`. `from <= date < to`, and after
   * the date `after` where that is given.
   */
  page(query: {
    readonly seriesId: string
    readonly from?: string
    readonly to?: string
    readonly asOf?: string
    readonly first: number
    readonly after?: string
  }): Promise<{ items: StoredObservation[]; hasNext: boolean }>
  /** The latest period of each of the series that has a value, as known now, by id of the series. */
  latest(seriesIds: readonly string[]): Promise<Map<string, StoredObservation>>
}

/** Where a page of releases goes on: behind this one. */
export interface ReleasePlace {
  readonly date: string
  readonly source: string
  readonly releaseId: string
}

export interface EconomicReleaseStore {
  /** The earliest day first, `from <= date < to`. */
  page(query: {
    readonly from: string
    readonly to?: string
    readonly first: number
    readonly after?: ReleasePlace
  }): Promise<{ items: EconomicRelease[]; hasNext: boolean }>
}
