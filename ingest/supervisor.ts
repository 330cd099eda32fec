import { isPlatformError } from '../domain/errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { IngestTotals } from './ingest.ts'
import type { Source, SourceBatch } from './source.ts'
import type { SourceStatuses } from './source-status.ts'

const RESTART_MS_MIN = 1_000
const RESTART_MS_MAX = 5 * 60_000
/** A source that ran this long had recovered: the next failure is the first again. */
const STEADY_MS = 10 * 60_000

export interface Supervision {
  /** Opens it anew after every failure. */
  readonly open: () => Source
  readonly name: string
  /** Reads it until it ends, fails or `signal` aborts. */
  readonly ingest: (source: Source) => Promise<IngestTotals>
  /** Makes this process its one reader. */
  readonly lock: (name: string) => Promise<AsyncDisposable>
  readonly statuses: SourceStatuses
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
}

/**
 * Keeps one source running whatever it does, and keeps what it does to itself: a source that fails is started again from
 * its checkpoint, ever more rarely, and never ends the platform. One whose vendor has refused us waits for a person.
 * Resolves when it has ended, was refused, or the signal aborted; never rejects.
 */
export async function supervise(run: Supervision): Promise<void> {
  const { name, statuses, clock, metrics, signal } = run
  let failures = 0
  while (!signal.aborted) {
    const startedMs = clock.now()
    statuses.set(name, 'starting')
    try {
      await readOnce(run)
      if (!signal.aborted) statuses.set(name, 'ended')
      return
    } catch (error) {
      if (signal.aborted) return
      if (isPlatformError(error, 'VENDOR_REFUSED') || isPlatformError(error, 'INVALID_CONFIG'))
        return refused(run, error)
      failures = clock.now() - startedMs >= STEADY_MS ? 1 : failures + 1
      metrics.ingestSourceRestarts.inc({ source: name })
      await restPause(run, failures, error)
    }
  }
}

async function readOnce(run: Supervision): Promise<void> {
  await using _reader = await run.lock(run.name)
  const source = run.open()
  run.statuses.set(run.name, 'reading')
  run.metrics.ingestSourceUp.set({ source: run.name }, 1)
  try {
    await run.ingest(noting(source, run))
  } finally {
    run.metrics.ingestSourceUp.set({ source: run.name }, 0)
  }
}

/** The same source; that something came is noted. */
function noting(source: Source, { name, statuses }: Supervision): Source {
  async function* read(from: unknown, signal: AbortSignal): AsyncIterable<SourceBatch<unknown>> {
    for await (const batch of source.read(from, signal)) {
      if (batch.ticks.length + (batch.facts?.length ?? 0) > 0) statuses.heard(name)
      yield batch
    }
  }
  return { name: source.name, read, saved: (checkpoint) => source.saved?.(checkpoint) }
}

function refused({ name, statuses, log }: Supervision, error: Error): void {
  statuses.set(name, 'refused', { reason: error.message })
  log.error({ source: name, code: 'code' in error ? error.code : undefined }, `${name} is not read: ${error.message}`)
}

/** What was expected to go wrong is a sentence; anything else is a bug, and where it was goes to the log only. */
async function restPause({ name, statuses, clock, log, signal }: Supervision, failures: number, error: unknown) {
  const capMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** Math.min(failures - 1, 30))
  const pauseMs = Math.round(capMs * (0.5 + Math.random() / 2))
  const expected = isPlatformError(error)
  const reason = expected ? error.message : 'failed unexpectedly; the log says where'
  // What a lock answers, and nothing else.
  const isReadElsewhere = isPlatformError(error, 'LIMIT_EXCEEDED')
  statuses.set(name, 'restarting', {
    reason,
    retryAtMs: clock.now() + pauseMs,
    ...(isReadElsewhere && { isReadElsewhere }),
  })
  const detail = expected ? { code: error.code } : { err: error }
  log[expected ? 'warn' : 'error']({ source: name, ...detail, pauseMs }, `${name} broke off: ${reason}`)
  await clock.sleep(pauseMs, signal)
}
