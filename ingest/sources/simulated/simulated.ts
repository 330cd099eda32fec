import { PlatformError } from '../../../domain/errors.ts'
import type { Tick } from '../../../domain/tick.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Log } from '../../../platform/log.ts'
import type { Source, SourceBatch } from '../../source.ts'
import { SIMULATED_INSTRUMENTS, type SimulatedInstrument } from './instruments.ts'
import type { MarketHours } from './market-hours.ts'
import {
  fingerprintOf,
  type Settings,
  type SimulatedCheckpoint,
  scheduleMs,
  simulatedCheckpointSchema,
  Timeline,
} from './timeline.ts'

export const TICKS_PER_SECOND_MAX = 100_000
/** How far the schedule may run beyond the saved checkpoint, and so how much is told again after a stop. */
export const AHEAD_MS_MAX = 10_000
/** Behind its schedule by more than this, it does not catch up but goes on from now. */
export const BEHIND_MS_MAX = 60_000
/** Ticks are told in slices of this length at most, so a screen moves evenly. */
const SLICE_MS = 10
const BATCH_SLOTS_MAX = 2_000
const QUIET_CHECKPOINT_MS = 1_000

export interface SimulatedOptions {
  readonly seed: number
  /** From 1 to 100,000, all instruments together. While an exchange is closed its instruments' share is left out. */
  readonly ticksPerSecond: number
  readonly clock: Clock
  readonly log: Log
  /** Default: `always`, so that something moves whenever somebody looks. */
  readonly marketHours?: MarketHours
  readonly instruments?: readonly SimulatedInstrument[]
  /** Default: `simulated`. */
  readonly name?: string
}

/** Up to where on which leg of its schedule the saved checkpoint is. */
const NOTHING_SAVED = { leg: -1, ms: 0 }

type Batch = SourceBatch<SimulatedCheckpoint>

/**
 * Invents trades: correlated prices, U-shaped volume, occasional jumps. Everything follows from the seed, the settings and
 * the time it was anchored at, and all of that is in the checkpoint, so what may have been told after a checkpoint is told
 * again exactly: at most AHEAD_MS_MAX of schedule, because it waits for `saved` before it goes further. Stopped for up to
 * BEHIND_MS_MAX it catches up at full speed; stopped for longer, or started with other settings, it first tells again what
 * may have been told, then leaves a gap, says so in the log, and goes on from now with prices and positions continued.
 */
export function simulatedSource(options: SimulatedOptions): Source<SimulatedCheckpoint> {
  return new SimulatedSource(options)
}

class SimulatedSource implements Source<SimulatedCheckpoint> {
  readonly name: string
  readonly #settings: Settings
  readonly #instruments: readonly SimulatedInstrument[]
  readonly #clock: Clock
  readonly #log: Log
  #saved = NOTHING_SAVED
  #hearSaved: () => void = () => undefined

  constructor(options: SimulatedOptions) {
    const { seed, ticksPerSecond, marketHours = 'always', instruments = SIMULATED_INSTRUMENTS } = options
    if (!(ticksPerSecond >= 1 && ticksPerSecond <= TICKS_PER_SECOND_MAX))
      throw invalid(`ticks per second must be from 1 to ${TICKS_PER_SECOND_MAX}, was ${ticksPerSecond}`)
    if (!Number.isSafeInteger(seed)) throw invalid(`the seed must be a whole number, was ${seed}`)
    if (instruments.length === 0) throw invalid('there must be at least one instrument')
    this.name = options.name ?? 'simulated'
    this.#settings = { seed, ticksPerSecond, marketHours }
    this.#instruments = instruments
    this.#clock = options.clock
    this.#log = options.log
  }

  saved(checkpoint: SimulatedCheckpoint): void {
    this.#saved = { leg: checkpoint.leg, ms: scheduleMs(checkpoint) }
    this.#hearSaved()
  }

  async *read(from: SimulatedCheckpoint | undefined, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#saved = NOTHING_SAVED
    let timeline: Timeline | undefined = from && this.#resume(parse(from, this.name))
    if (from && timeline) {
      this.saved(from)
      if (!this.#goesOn(from)) {
        yield* this.#retell(timeline, signal)
        timeline = this.#jump(timeline)
      }
    }
    timeline ??= this.#startAnew(from)
    while (!signal.aborted) {
      // A new leg is a choice: it must survive a crash before anything is told that follows from it.
      if (timeline.leg !== this.#saved.leg) {
        yield checkpointOnly(timeline)
        await this.#until(() => timeline?.leg === this.#saved.leg, signal)
        if (signal.aborted) return
      }
      yield* this.#keepSchedule(timeline, signal)
      if (!signal.aborted) timeline = this.#jump(timeline)
    }
  }

  /** Undefined where the checkpoint is of other instruments, so that its facts cannot be told again. */
  #resume(from: SimulatedCheckpoint): Timeline | undefined {
    if (from.instruments !== fingerprintOf(this.#instruments)) return undefined
    return Timeline.from(this.name, this.#instruments, from)
  }

  #goesOn(from: SimulatedCheckpoint): boolean {
    const { seed, ticksPerSecond, marketHours } = this.#settings
    const sameSettings =
      from.seed === seed && from.ticksPerSecond === ticksPerSecond && from.marketHours === marketHours
    return sameSettings && this.#clock.now() - scheduleMs(from) <= BEHIND_MS_MAX
  }

  #startAnew(from: SimulatedCheckpoint | undefined): Timeline {
    const nowMs = this.#clock.now()
    if (from === undefined) return Timeline.start(this.name, this.#instruments, this.#settings, nowMs)
    // Positions that may have been told must not be told again with other facts, so they are passed over.
    const toldMax = Math.ceil((AHEAD_MS_MAX / 1_000) * from.ticksPerSecond) + 1
    const after = { leg: from.leg, position: from.position + toldMax }
    this.#log.warn({ source: this.name }, `${this.name} has other instruments than before and starts its prices anew`)
    return Timeline.start(this.name, this.#instruments, this.#settings, nowMs, after)
  }

  #jump(timeline: Timeline): Timeline {
    const nowMs = this.#clock.now()
    const gapMs = nowMs - timeline.nextMs
    this.#log.warn(
      { source: this.name, gapMs, fromMs: timeline.nextMs, untilMs: nowMs },
      `${this.name} leaves a gap of ${Math.round(gapMs / 1_000)} s in its facts and goes on from now`,
    )
    return timeline.anchoredAt(nowMs, this.#settings)
  }

  /** What may have been told after the checkpoint it starts from. */
  async *#retell(timeline: Timeline, signal: AbortSignal): AsyncGenerator<Batch> {
    const endMs = timeline.nextMs + AHEAD_MS_MAX
    while (!signal.aborted && timeline.nextMs < endMs) yield slice(timeline, endMs - 1, this.#clock.now())
  }

  /** Tells every slot when it is due, or as soon as possible after; ends where that is too long after. */
  async *#keepSchedule(timeline: Timeline, signal: AbortSignal): AsyncGenerator<Batch> {
    let checkpointMs = timeline.nextMs
    while (!signal.aborted) {
      const nowMs = this.#clock.now()
      if (nowMs - timeline.nextMs > BEHIND_MS_MAX) return
      if (timeline.nextMs > nowMs) await this.#clock.sleep(this.#pauseMs(timeline.nextMs - nowMs), signal)
      else if (timeline.nextMs >= this.#limitMs) await this.#until(() => timeline.nextMs < this.#limitMs, signal)
      else {
        const batch = slice(timeline, Math.min(nowMs, this.#limitMs - 1), nowMs)
        // While nothing trades the checkpoint still has to move, or the schedule would run away from it.
        if (batch.ticks.length > 0 || timeline.nextMs - checkpointMs >= QUIET_CHECKPOINT_MS) {
          checkpointMs = timeline.nextMs
          yield batch
        }
      }
    }
  }

  /** The schedule may be told up to here, and no further before the next checkpoint is saved. */
  get #limitMs(): number {
    return this.#saved.ms + AHEAD_MS_MAX
  }

  /** A clock that was set back is waited for, but asked again: it may be set right. */
  #pauseMs(untilNextMs: number): number {
    return Math.min(Math.max(untilNextMs, SLICE_MS), 1_000)
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition() && !signal.aborted) {
      const heard = Promise.withResolvers<void>()
      const wake = () => heard.resolve()
      this.#hearSaved = wake
      signal.addEventListener('abort', wake, { once: true })
      await heard.promise
      signal.removeEventListener('abort', wake)
    }
  }
}

/** The slots up to `untilMs`, as many as a batch holds. */
function slice(timeline: Timeline, untilMs: number, ingestTimeMs: number): Batch {
  const ticks: Tick[] = []
  for (let slots = 0; slots < BATCH_SLOTS_MAX && timeline.nextMs <= untilMs; slots++) {
    const told = timeline.next(ingestTimeMs)
    if (told !== undefined) ticks.push(told)
  }
  return { ticks, rejects: [], checkpoint: timeline.checkpoint }
}

const checkpointOnly = (timeline: Timeline): Batch => ({ ticks: [], rejects: [], checkpoint: timeline.checkpoint })

function parse(from: unknown, name: string): SimulatedCheckpoint {
  const parsed = simulatedCheckpointSchema.safeParse(from)
  if (parsed.success) return parsed.data
  throw invalid(`the checkpoint of ${name} is not one of a simulation: ${parsed.error.message}`)
}

const invalid = (problem: string) => new PlatformError('INVALID_ARGUMENT', `Simulated source: ${problem}`)
