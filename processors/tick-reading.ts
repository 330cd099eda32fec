import { PlatformError } from '../domain/errors.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import type { BusRecord } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import { Placement } from './placement.ts'
import { type Batch, costOfRejects, type Follow, type Reading, type ReadingDeps } from './reading.ts'
import type { SourceProgress } from './source-progress.ts'
import type { RejectedRecord, Work } from './work.ts'

export interface TickWork extends Work {
  readonly ticks: TickColumns
  /** Row by row beside `ticks`; empty where the processor does not keep them. */
  readonly originals: readonly BusRecord[]
  /** Watermarks of silent sources that move without a record. */
  readonly follows: readonly Follow[]
}

export interface TickReadingOptions {
  /** The fold wants each tick's bytes, because it may put one aside. */
  readonly keepsOriginals: boolean
  /** As in `Reading`. */
  readonly clockOf?: (source: string) => string
}

export const readTicks =
  ({ keepsOriginals, clockOf }: TickReadingOptions) =>
  ({ codec, partitions }: ReadingDeps): Reading<TickWork> => {
    const placement = new Placement(partitions)
    return {
      open: (partition, capacity) => new TickBatch(codec, placement, partition, capacity, keepsOriginals),
      follow: (partition, follows, nextOffset, progress) =>
        workOf(
          { partition, ticks: new TickColumns(0), originals: [], follows, rejects: [], duplicates: 0 },
          nextOffset,
          progress,
        ),
      ...(clockOf && { clockOf }),
    }
  }

class TickBatch implements Batch<TickWork> {
  readonly #codec: EventCodec
  readonly #placement: Placement
  readonly #partition: number
  readonly #keepsOriginals: boolean
  readonly #ticks: TickColumns
  readonly #originals: BusRecord[] = []

  constructor(codec: EventCodec, placement: Placement, partition: number, capacity: number, keepsOriginals: boolean) {
    this.#codec = codec
    this.#placement = placement
    this.#partition = partition
    this.#keepsOriginals = keepsOriginals
    this.#ticks = new TickColumns(capacity)
  }

  add(record: BusRecord): void {
    const ticks = this.#ticks
    this.#codec.decodeTick(record.value, record.offset, ticks)
    const symbol = ticks.symbol[ticks.length - 1]
    const belongs = this.#placement.of(symbol)
    if (belongs !== this.#partition) {
      ticks.length--
      throw new PlatformError(
        'INVALID_EVENT',
        `A tick of ${symbol} belongs to partition ${belongs} of stock-data and was in ${this.#partition}: its key must be its symbol, placed by murmur2 like Kafka's Java client does`,
      )
    }
    if (this.#keepsOriginals) this.#originals.push(record)
  }

  finish(rejects: readonly RejectedRecord[], nextOffset: number, progress: SourceProgress, nowMs: number): TickWork {
    const duplicates = dropDuplicates(this.#ticks, this.#originals, progress, nowMs)
    const batch = { partition: this.#partition, ticks: this.#ticks, originals: this.#originals, follows: [] }
    return workOf({ ...batch, rejects, duplicates }, nextOffset, progress)
  }
}

/** The room of duplicates is kept until the work is done, so it counts. */
const workOf = (
  content: Pick<TickWork, 'partition' | 'ticks' | 'originals' | 'follows' | 'rejects' | 'duplicates'>,
  nextOffset: number,
  progress: SourceProgress,
): TickWork => ({
  ...content,
  records: content.ticks.length,
  cost: content.ticks.length + content.duplicates + costOfRejects(content.rejects),
  ...(content.ticks.length > 0 && { oldestIngestTimeMs: content.ticks.ingestTimeMs[0] }),
  nextOffset,
  sources: progress.snapshot(),
})

/** Keeps the rows that are new to their source, in order and in place. Answers how many were not. */
function dropDuplicates(ticks: TickColumns, originals: BusRecord[], progress: SourceProgress, nowMs: number): number {
  let kept = 0
  for (let i = 0; i < ticks.length; i++) {
    if (!progress.admit(ticks.source[i], ticks.position[i], ticks.eventTimeMs[i], nowMs)) continue
    if (kept !== i) {
      ticks.move(i, kept)
      if (originals.length > 0) originals[kept] = originals[i]
    }
    kept++
  }
  const dropped = ticks.length - kept
  ticks.length = kept
  if (originals.length > kept) originals.length = kept
  return dropped
}
