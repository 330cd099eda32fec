import { type DataQualityKind, dataQuality } from '../domain/data-quality.ts'
import type { Fact } from '../platform/bus/topics.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Source, SourceBatch } from './source.ts'
import type { SourceStatus } from './source-status.ts'

export interface SilenceBounds {
  /** In trouble, or restarted again and again, for longer than this without telling anything: silent. */
  readonly troubledMsMax: number
  /** It is well again once it has been read for so long since it was first reached. */
  readonly settledMs: number
  /** Or once it has been read for so long without any trouble, whether or not there was anything to tell. */
  readonly steadyMs: number
  readonly lookEveryMs: number
}

export const SILENCE_BOUNDS: SilenceBounds = {
  troubledMsMax: 120_000,
  settledMs: 30_000,
  steadyMs: 60_000,
  lookEveryMs: 5_000,
}

export interface SourceSilenceContext {
  /** Takes it to the bus. What it rejects is told again at the next look. */
  readonly tell: (fact: Fact) => Promise<void>
  /** Since when the source has been said to be silent, as far as anybody knows; undefined: it is not. */
  readonly silentSince: (source: string) => Promise<number | undefined>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'qualityFound'>
  readonly bounds?: Partial<SilenceBounds>
}

interface Watched {
  status: SourceStatus
  /** Since when it has been in trouble, by what we have seen. */
  troubledSinceMs: number | undefined
  /** Since when it can be reached again; undefined where nothing says so. */
  reachedMs: number | undefined
  /** It was said to be silent: by us, or by the source, which then says itself when that is over. */
  silent: 'by us' | 'by itself' | undefined
}

/**
 * Says of a source that cannot be reached that it is silent, once, and once that it is heard again. What it goes by is what
 * the supervisor sees: its state, and whether anything comes. Streams know more of their sockets and say so themselves; that
 * passes here too, so nothing is said twice. A silence outlives the process: the next one learns of it from the store.
 */
export class SourceSilence {
  readonly #context: SourceSilenceContext
  readonly #bounds: SilenceBounds
  readonly #watched = new Map<string, Watched>()

  constructor(context: SourceSilenceContext) {
    this.#context = context
    this.#bounds = { ...SILENCE_BOUNDS, ...context.bounds }
  }

  /** The source is in another state. */
  changed(status: SourceStatus, before: SourceStatus | undefined): void {
    const watched = this.#of(status)
    watched.status = status
    const nowMs = this.#context.clock.now()
    if (isTrouble(status)) {
      watched.troubledSinceMs ??= nowMs
      watched.reachedMs = undefined
      // Its next reading knows nothing of what this one has said.
      if (status.state !== 'troubled' && watched.silent) watched.silent = 'by us'
    } else if (status.state === 'reading' && before?.state === 'troubled') this.#reached(watched, nowMs)
  }

  /** The same source; what it tells is noted, and what was said already is left out. */
  noting(source: Source): Source {
    const pass = (batch: SourceBatch<unknown>) => this.#pass(source.name, batch)
    async function* read(from: unknown, signal: AbortSignal): AsyncIterable<SourceBatch<unknown>> {
      for await (const batch of source.read(from, signal)) yield pass(batch)
    }
    return { name: source.name, read, saved: (checkpoint) => source.saved?.(checkpoint) }
  }

  /** Looks again and again until the signal aborts. Never rejects. */
  async run(sources: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context
    for (const source of sources) {
      try {
        if ((await this.#context.silentSince(source)) !== undefined) this.#learnt(source)
      } catch (error) {
        log.debug({ err: error, source }, 'Cannot ask whether it was silent before')
      }
    }
    // The bus may be away, and then what is on its way to it is not waited for.
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    while (!signal.aborted) {
      await clock.sleep(this.#bounds.lookEveryMs, signal)
      for (const watched of this.#watched.values())
        if (!signal.aborted) await Promise.race([this.#look(watched), stopped])
    }
  }

  #of(status: SourceStatus): Watched {
    const known = this.#watched.get(status.source)
    if (known) return known
    const watched = { status, troubledSinceMs: undefined, reachedMs: undefined, silent: undefined }
    this.#watched.set(status.source, watched)
    return watched
  }

  #learnt(source: string): void {
    const watched = this.#of({ source, state: 'starting', sinceMs: this.#context.clock.now() })
    watched.silent ??= 'by us'
  }

  #reached(watched: Watched, nowMs: number): void {
    watched.reachedMs ??= nowMs
    if (!watched.silent) watched.troubledSinceMs = undefined
  }

  #pass(source: string, batch: SourceBatch<unknown>): SourceBatch<unknown> {
    const watched = this.#watched.get(source)
    if (!watched) return batch
    const facts = (batch.facts ?? []).filter((fact) => this.#isNews(watched, fact))
    const isHeard = batch.ticks.length > 0 || facts.some(({ topic }) => topic !== 'data-quality')
    if (isHeard && watched.status.state === 'reading') this.#reached(watched, this.#context.clock.now())
    return batch.facts && facts.length < batch.facts.length ? { ...batch, facts } : batch
  }

  /** What a source says of its own silence. */
  #isNews(watched: Watched, { topic, event }: Fact): boolean {
    if (topic !== 'data-quality' || event.source !== watched.status.source) return true
    if (event.kind === 'SILENT_SOURCE') {
      const wasSaid = watched.silent !== undefined
      watched.silent = 'by itself'
      return !wasSaid
    }
    if (event.kind === 'SOURCE_RECOVERED') this.#isWell(watched)
    return true
  }

  #isWell(watched: Watched): void {
    watched.silent = undefined
    watched.troubledSinceMs = undefined
  }

  async #look(watched: Watched): Promise<void> {
    const { status, silent, troubledSinceMs } = watched
    const nowMs = this.#context.clock.now()
    if (silent === undefined) {
      if (troubledSinceMs === undefined) return
      const isSilent = status.state === 'refused' || nowMs - troubledSinceMs > this.#bounds.troubledMsMax
      if (isTrouble(status) && isSilent) await this.#silent(watched, troubledSinceMs)
      else if (this.#wellSinceMs(watched, nowMs) !== undefined) this.#isWell(watched)
    } else if (silent === 'by us') {
      const wellSinceMs = this.#wellSinceMs(watched, nowMs)
      if (wellSinceMs !== undefined) await this.#recovered(watched, wellSinceMs)
    }
  }

  #wellSinceMs({ status, reachedMs }: Watched, nowMs: number): number | undefined {
    if (status.state !== 'reading') return undefined
    if (reachedMs !== undefined && nowMs - reachedMs >= this.#bounds.settledMs) return reachedMs
    return nowMs - status.sinceMs >= this.#bounds.steadyMs ? status.sinceMs : undefined
  }

  async #silent(watched: Watched, sinceMs: number): Promise<void> {
    const { source, state, reason = 'it does not say why' } = watched.status
    const what = state === 'refused' ? 'is not read' : `has been in trouble for more than ${this.#limitSeconds} s`
    // First of all, and taken back where it fails: the source may say so itself meanwhile.
    watched.silent = 'by us'
    if (!(await this.#tell('SILENT_SOURCE', source, sinceMs, `${source} ${what}: ${oneLine(reason)}`)))
      if (watched.silent === 'by us') watched.silent = undefined
  }

  async #recovered(watched: Watched, sinceMs: number): Promise<void> {
    const { source } = watched.status
    if (await this.#tell('SOURCE_RECOVERED', source, sinceMs, `${source} can be read again.`)) this.#isWell(watched)
  }

  async #tell(kind: DataQualityKind, source: string, eventTimeMs: number, detail: string): Promise<boolean> {
    const { tell, clock, log, metrics } = this.#context
    const event = dataQuality({ kind, source, symbol: null, eventTimeMs, ingestTimeMs: clock.now(), detail })
    try {
      await tell({ topic: 'data-quality', event })
      metrics.qualityFound.inc({ kind })
      return true
    } catch (error) {
      log.debug({ err: error, source, kind }, 'It cannot be told yet')
      return false
    }
  }

  get #limitSeconds(): number {
    return this.#bounds.troubledMsMax / 1_000
  }
}

/** One that another process reads is in no trouble. */
const isTrouble = ({ state, isReadElsewhere = false }: SourceStatus): boolean =>
  (state === 'troubled' || state === 'restarting' || state === 'refused') && !isReadElsewhere

const REASON_LENGTH_MAX = 800

/** Reasons quote what vendors say. */
const oneLine = (reason: string): string => reason.replace(/\p{Cc}+/gu, ' ').slice(0, REASON_LENGTH_MAX)
