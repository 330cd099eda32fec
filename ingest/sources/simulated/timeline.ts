import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Tick, tick } from '../../../domain/tick.ts'
import type { SimulatedInstrument } from './instruments.ts'
import type { MarketHours } from './market-hours.ts'
import { Walk, walkStateSchema } from './walk.ts'

/** What the facts follow from, besides the time they are anchored at. */
export interface Settings {
  readonly seed: number
  readonly ticksPerSecond: number
  readonly marketHours: MarketHours
}

export const simulatedCheckpointSchema = z.object({
  seed: z.number().int(),
  ticksPerSecond: z.number(),
  marketHours: z.enum(['always', 'us']),
  /** Which instruments with which behaviour; others cannot tell the same facts again. */
  instruments: z.string(),
  /** Counts how often the schedule was anchored anew. */
  leg: z.number().int().min(0),
  anchorMs: z.number().int(),
  /** Slots of this leg's schedule that are behind. */
  slot: z.number().int().min(0),
  /** Facts told, over all legs. */
  position: z.number().int().min(0),
  walk: walkStateSchema,
})
export type SimulatedCheckpoint = z.infer<typeof simulatedCheckpointSchema>

/**
 * The schedule and what happens on it: slot n of a leg is at `anchor + n / rate`, and a walk says what trades then. It
 * knows no clock, so the same checkpoint always goes on with the same facts.
 */
export class Timeline {
  readonly #source: string
  readonly #instruments: readonly SimulatedInstrument[]
  readonly #settings: Settings
  readonly #walk: Walk
  readonly leg: number
  readonly #anchorMs: number
  #slot: number
  #position: number

  private constructor(
    source: string,
    instruments: readonly SimulatedInstrument[],
    settings: Settings,
    walk: Walk,
    at: Pick<SimulatedCheckpoint, 'leg' | 'anchorMs' | 'slot' | 'position'>,
  ) {
    this.#source = source
    this.#instruments = instruments
    this.#settings = settings
    this.#walk = walk
    this.leg = at.leg
    this.#anchorMs = at.anchorMs
    this.#slot = at.slot
    this.#position = at.position
  }

  static start(
    source: string,
    instruments: readonly SimulatedInstrument[],
    settings: Settings,
    anchorMs: number,
    after: Pick<SimulatedCheckpoint, 'leg' | 'position'> = { leg: -1, position: 0 },
  ): Timeline {
    const walk = Walk.start(instruments, settings.marketHours, settings.seed, anchorMs)
    const at = { leg: after.leg + 1, anchorMs, slot: 0, position: after.position }
    return new Timeline(source, instruments, settings, walk, at)
  }

  static from(source: string, instruments: readonly SimulatedInstrument[], checkpoint: SimulatedCheckpoint): Timeline {
    const walk = Walk.from(instruments, checkpoint.marketHours, checkpoint.walk)
    return new Timeline(source, instruments, checkpoint, walk, checkpoint)
  }

  /** The next leg: prices and positions go on, the schedule starts anew. Another seed starts other prices. */
  anchoredAt(anchorMs: number, settings: Settings): Timeline {
    const walk =
      settings.seed === this.#settings.seed
        ? this.#walk.movedTo(settings.marketHours, anchorMs)
        : Walk.start(this.#instruments, settings.marketHours, settings.seed, anchorMs)
    const at = { leg: this.leg + 1, anchorMs, slot: 0, position: this.#position }
    return new Timeline(this.#source, this.#instruments, settings, walk, at)
  }

  /** When the next slot is. */
  get nextMs(): number {
    return slotMs(this.#anchorMs, this.#slot, this.#settings.ticksPerSecond)
  }

  get checkpoint(): SimulatedCheckpoint {
    const { seed, ticksPerSecond, marketHours } = this.#settings
    return {
      seed,
      ticksPerSecond,
      marketHours,
      instruments: fingerprintOf(this.#instruments),
      leg: this.leg,
      anchorMs: this.#anchorMs,
      slot: this.#slot,
      position: this.#position,
      walk: this.#walk.state,
    }
  }

  /** Takes the next slot. Undefined where nothing trades in it. */
  next(ingestTimeMs: number): Tick | undefined {
    const eventTimeMs = this.nextMs
    this.#slot++
    const print = this.#walk.step(eventTimeMs)
    if (print === undefined) return undefined
    const position = this.#position++
    const { symbol, price, size } = print
    return tick({ symbol, price, size, eventTimeMs, ingestTimeMs, seq: position, source: this.#source, position })
  }
}

const slotMs = (anchorMs: number, slot: number, ticksPerSecond: number) =>
  anchorMs + Math.floor((slot * 1_000) / ticksPerSecond)

/** Up to where on its schedule a checkpoint has come. */
export const scheduleMs = ({ anchorMs, slot, ticksPerSecond }: SimulatedCheckpoint): number =>
  slotMs(anchorMs, slot, ticksPerSecond)

const fingerprints = new WeakMap<readonly SimulatedInstrument[], string>()

export function fingerprintOf(instruments: readonly SimulatedInstrument[]): string {
  let fingerprint = fingerprints.get(instruments)
  if (fingerprint === undefined) {
    fingerprint = createHash('sha256').update(JSON.stringify(instruments)).digest('hex').slice(0, 16)
    fingerprints.set(instruments, fingerprint)
  }
  return fingerprint
}
