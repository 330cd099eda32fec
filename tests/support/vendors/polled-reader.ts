import type { Tick } from '../../../domain/tick.ts'
import type { PlannedUpdate, SourceContext, SourceVariable, VendorSource } from '../../../ingest/catalogue.ts'
import type { QuotaStore, SymbolInterest } from '../../../ingest/quota/quota.ts'
import type { Reject, Source } from '../../../ingest/source.ts'
import type { Fact } from '../../../platform/bus/topics.ts'
import type { Clock } from '../../../platform/clock.ts'
import { openLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'

export interface Surroundings {
  readonly url: string
  readonly socketUrl?: string
  readonly clock: Clock
  readonly quotas: QuotaStore
  readonly logged: (line: string) => void
  readonly troubled?: (trouble: string | undefined) => void
  readonly lacking?: (lack: string | undefined) => void
  readonly planned?: (plan: readonly PlannedUpdate[]) => void
  /** Default: nobody's in anything. */
  readonly interest?: SymbolInterest
}

/** What both suites know of a vendor. */
export interface VendorCase {
  readonly source: VendorSource
  readonly variables: Readonly<Partial<Record<SourceVariable, string>>>
  readonly symbols: readonly string[]
}

/** The vendor's source as a process of the platform would open it, pointed at a server of ours. */
export function openCase({ source, variables, symbols }: VendorCase, around: Surroundings): Source {
  const { url, socketUrl, clock, quotas, logged, troubled, lacking, planned, interest } = around
  const context: SourceContext = {
    settings: {
      variables,
      symbols,
      urls: { [source.name]: { http: url, ...(socketUrl !== undefined && { ws: socketUrl }) } },
    },
    clock,
    log: openLog('trace', { write: logged }),
    metrics: openMetrics(),
    quotas,
    interest: interest ?? { current: () => new Map() },
    tellsUsTrades: true,
    describe: async () => undefined,
    tellPlan: (_source, plan) => planned?.(plan),
    tellTrouble: (_source, trouble) => troubled?.(trouble),
    tellLack: (_source, lack) => lacking?.(lack),
  }
  return source.open(context)
}

/** Reads in the background and keeps what came. */
export class CaseReader {
  readonly ticks: Tick[] = []
  readonly facts: Fact[] = []
  readonly rejects: Reject[] = []
  checkpoint: unknown
  readonly #stop = new AbortController()
  readonly ended: Promise<void>

  constructor(source: Source, from?: unknown) {
    this.checkpoint = from
    this.ended = this.#read(source, from)
    this.ended.catch(() => undefined)
  }

  /** How long it took, in real milliseconds. @throws what the source threw */
  async stop(): Promise<number> {
    const startedMs = performance.now()
    this.#stop.abort()
    await this.ended
    return performance.now() - startedMs
  }

  async #read(source: Source, from: unknown): Promise<void> {
    for await (const { ticks, facts = [], rejects, checkpoint } of source.read(from, this.#stop.signal)) {
      this.ticks.push(...ticks)
      this.facts.push(...facts)
      this.rejects.push(...rejects)
      this.checkpoint = JSON.parse(JSON.stringify(checkpoint))
    }
  }
}
