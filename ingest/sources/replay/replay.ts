import { basename } from 'node:path'
import { z } from 'zod'
import { isPlatformError, PlatformError } from '../../../domain/errors.ts'
import type { Tick } from '../../../domain/tick.ts'
import type { Clock } from '../../../platform/clock.ts'
import { ORIGINAL_BYTES_MAX, type Reject, type Source, type SourceBatch } from '../../source.ts'
import { type CsvRecord, CsvRecords } from './csv-records.ts'
import { Pace } from './pace.ts'
import { openTape, type Tape, tapeBytes } from './tape.ts'
import { TapeRow } from './tape-row.ts'

const BATCH_ROWS_MAX = 5_000
const BATCH_REJECT_BYTES_MAX = 4_194_304
/** A timer over 2^31 ms fires at once, and a tape may have a gap of months. */
const SLEEP_MS_MAX = 3_600_000

export interface ReplayOptions {
  readonly file: string
  /** How many times faster than it happened, or as fast as it is taken. */
  readonly speed: number | 'max'
  readonly clock: Clock
  /** Default: `replay:` and the file's name without .csv and .gz. */
  readonly name?: string
}

const checkpointSchema = z.object({
  /** Identity of the file. */
  tape: z.string(),
  /** The next row, from 0, and where it begins. */
  row: z.number().int().min(0),
  byte: z.number().int().min(0),
  line: z.number().int().min(1),
  finished: z.boolean(),
})
export type ReplayCheckpoint = z.infer<typeof checkpointSchema>

/**
 * Plays a recorded tape, in the order of the file. Position and seq are the number of the data row, from 0, so every run
 * tells the same facts. A tape that was played to its end starts over when it is started again: consumers who have seen it
 * drop it by position, new ones get all of it. A last line without a line end is a row like any other, so where it was cut
 * off it is a reject unless the cut left a whole row.
 * @throws INVALID_TAPE before anything is told, where the file is not a tape.
 */
export async function replaySource(options: ReplayOptions): Promise<Source<ReplayCheckpoint>> {
  const { file, speed, clock } = options
  if (speed !== 'max' && !(speed > 0 && Number.isFinite(speed)))
    throw new PlatformError('INVALID_ARGUMENT', `Speed of a replay must be above 0, or max, was ${speed}`)
  const tape = await openTape(file)
  const name =
    options.name ??
    `replay:${basename(file)
      .replace(/\.gz$/i, '')
      .replace(/\.csv$/i, '')}`
  return {
    name,
    read: (from, signal) => play(tape, name, startOf(tape, name, from), speed, clock, signal),
  }
}

/** Whether the checkpoint is of a tape that was played to its end. */
export const wasPlayed = (checkpoint: unknown): boolean =>
  checkpointSchema.safeParse(checkpoint).data?.finished ?? false

/** Rows that a run which goes on from the checkpoint leaves out, because they were read before. */
export const rowsBefore = (checkpoint: unknown): number => {
  const { data } = checkpointSchema.safeParse(checkpoint)
  return data === undefined || data.finished ? 0 : data.row
}

function startOf(tape: Tape, name: string, from: unknown): ReplayCheckpoint {
  const start = { tape: tape.identity, row: 0, byte: tape.firstRowByte, line: tape.firstRowLine, finished: false }
  if (from === undefined) return start
  const parsed = checkpointSchema.safeParse(from)
  if (!parsed.success)
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `The checkpoint of ${name} is not one of a tape: ${parsed.error.message}`,
    )
  if (parsed.data.tape !== tape.identity)
    throw new PlatformError(
      'INVALID_TAPE',
      `${tape.file} is not the file that ${name} was played from before; rename it to play it as a tape of its own`,
    )
  return parsed.data.finished ? start : parsed.data
}

async function* play(
  tape: Tape,
  name: string,
  start: ReplayCheckpoint,
  speed: number | 'max',
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch<ReplayCheckpoint>> {
  if (signal.aborted) return
  const player = new Player(tape, name, start, speed, clock, signal)
  for await (const chunk of tapeBytes(tape, start.byte)) {
    player.records.push(chunk)
    yield* player.rows()
    if (signal.aborted) return
  }
  player.records.end()
  yield* player.rows()
  if (!signal.aborted) yield { ticks: [], rejects: [], checkpoint: player.checkpoint(true) }
}

class Player {
  readonly records: CsvRecords
  readonly #tape: Tape
  readonly #reader: TapeRow
  readonly #pace: Pace
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #row: number
  #ticks: Tick[] = []
  #rejects: Reject[] = []
  #rejectBytes = 0

  constructor(
    tape: Tape,
    name: string,
    start: ReplayCheckpoint,
    speed: number | 'max',
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.records = new CsvRecords(start.byte, start.line)
    this.#tape = tape
    this.#reader = new TapeRow(tape.columns, name)
    this.#pace = new Pace(speed)
    this.#clock = clock
    this.#signal = signal
    this.#row = start.row
  }

  checkpoint(finished: boolean): ReplayCheckpoint {
    return { tape: this.#tape.identity, row: this.#row, byte: this.records.byte, line: this.records.line, finished }
  }

  /** Every row that is complete, each not before its time. */
  async *rows(): AsyncGenerator<SourceBatch<ReplayCheckpoint>> {
    let nowMs = this.#clock.now()
    let before = this.checkpoint(false)
    while (this.records.next()) {
      let told = this.#read(nowMs)
      const dueMs = told === undefined ? nowMs : this.#pace.dueMs(told.eventTimeMs, nowMs)
      if (dueMs > nowMs) {
        if (this.#waiting > 0) yield this.#batch(before)
        await this.#sleepUntil(dueMs)
        if (this.#signal.aborted) return
        nowMs = this.#clock.now()
        // It is first seen now, not when we looked how long to wait.
        told = this.#read(nowMs)
      }
      if (told !== undefined) this.#ticks.push(told)
      this.#row++
      if (this.#pace.keepsTime) before = this.checkpoint(false)
      if (this.#waiting >= BATCH_ROWS_MAX || this.#rejectBytes >= BATCH_REJECT_BYTES_MAX) {
        yield this.#batch(this.checkpoint(false))
        if (this.#signal.aborted) return
        nowMs = this.#clock.now()
      }
    }
    if (this.#waiting > 0) yield this.#batch(this.checkpoint(false))
  }

  async #sleepUntil(dueMs: number): Promise<void> {
    for (
      let restMs = dueMs - this.#clock.now();
      restMs > 0 && !this.#signal.aborted;
      restMs = dueMs - this.#clock.now()
    )
      await this.#clock.sleep(Math.min(restMs, SLEEP_MS_MAX), this.#signal)
  }

  get #waiting(): number {
    return this.#ticks.length + this.#rejects.length
  }

  #read(ingestTimeMs: number): Tick | undefined {
    try {
      return this.#reader.read(this.records.record, this.#row, ingestTimeMs)
    } catch (error) {
      if (!isPlatformError(error, 'INVALID_EVENT')) throw error
      this.#reject(this.records.record, error.message)
      return undefined
    }
  }

  #reject({ buffer, start, end, line }: CsvRecord, problem: string): void {
    const cut = end - start > ORIGINAL_BYTES_MAX ? ` (only its first ${ORIGINAL_BYTES_MAX} bytes are kept)` : ''
    const original = Buffer.from(buffer.subarray(start, Math.min(end, start + ORIGINAL_BYTES_MAX)))
    this.#rejects.push({ position: this.#row, reason: `line ${line}: ${problem}${cut}`, original })
    this.#rejectBytes += original.length
  }

  #batch(checkpoint: ReplayCheckpoint): SourceBatch<ReplayCheckpoint> {
    const batch = { ticks: this.#ticks, rejects: this.#rejects, checkpoint }
    this.#ticks = []
    this.#rejects = []
    this.#rejectBytes = 0
    return batch
  }
}
