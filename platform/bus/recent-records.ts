import type { BusRecord } from './bus.ts'
import { PackedRecords } from './packed-records.ts'

/** Of a half of what is held of a partition. At 100,000 ticks a second a twelfth of them are as many in a quarter second. */
const RECORDS_MAX = 2_048
const BYTES_MAX = 131_072

/** Records of one partition, from the offset that was asked for up to `nextOffset`. */
export interface Recent {
  readonly records: readonly BusRecord[]
  readonly nextOffset: number
  /** The end of the partition when they were read. */
  readonly high: number
}

/** What is held of one partition, while one consumer reads it as soon as something comes. */
export class Trail {
  readonly #bounds: readonly [recordsMax: number, bytesMax: number]
  readonly #onEnd: () => void
  /** The older half is forgotten when the newer one is full. */
  #older: PackedRecords | undefined
  #newer: PackedRecords | undefined
  #newerLow: number
  #low: number
  #next: number
  #high: number

  constructor(from: number, bounds: readonly [recordsMax: number, bytesMax: number], onEnd: () => void) {
    this.#bounds = bounds
    this.#onEnd = onEnd
    this.#newerLow = from
    this.#low = from
    this.#next = from
    this.#high = from
  }

  /**
   * What was read from `from` on. Where it does not reach the end of the partition nothing is held: whoever reads it is
   * catching up, with much at once, and those who linger have as much before them.
   */
  add(from: number, { records, nextOffset, high }: Recent): void {
    if (nextOffset <= this.#next) return
    const continues = from <= this.#next
    const next = this.#next
    this.#next = nextOffset
    this.#high = high
    if (!continues || nextOffset < high) this.#forget()
    else for (const record of records) if (record.offset >= next) this.#hold(record)
  }

  /** Undefined where that offset is not held any more, or was not read yet. */
  after(offset: number): Recent | undefined {
    if (offset < this.#low || offset > this.#next) return undefined
    const records: BusRecord[] = []
    this.#older?.read(offset, records)
    this.#newer?.read(offset, records)
    return { records, nextOffset: this.#next, high: this.#high }
  }

  /** Whoever reads it does so no more. */
  end(): void {
    this.#onEnd()
  }

  #hold(record: BusRecord): void {
    this.#newer ??= new PackedRecords(...this.#bounds)
    if (this.#newer.add(record)) return
    const emptied = this.#older ?? new PackedRecords(...this.#bounds)
    this.#older = this.#newer
    this.#low = this.#newerLow
    this.#newer = emptied
    this.#newerLow = record.offset
    emptied.clear()
    if (!emptied.add(record)) this.#forget()
  }

  #forget(): void {
    this.#older?.clear()
    this.#newer?.clear()
    this.#low = this.#next
    this.#newerLow = this.#next
  }
}

/**
 * What consumers of this process have just read, for the others of the same topic that hold records back for a while anyway:
 * they take it from here, and neither the broker nor this process has the work of reading for each of them.
 *
 * Bounds: twice `recordsMax` records and `bytesMax` bytes a partition, and nothing where nobody lingers.
 */
export class RecentRecords {
  readonly #bounds: readonly [recordsMax: number, bytesMax: number]
  readonly #trails = new Map<string, Trail>()
  readonly #lingering = new Map<string, number>()

  constructor(recordsMax = RECORDS_MAX, bytesMax = BYTES_MAX) {
    this.#bounds = [recordsMax, bytesMax]
  }

  /** Somebody who lingers reads the topic from now on, until the answer is called. */
  linger(topic: string): () => void {
    this.#lingering.set(topic, (this.#lingering.get(topic) ?? 0) + 1)
    return () => this.#lingering.set(topic, (this.#lingering.get(topic) ?? 0) - 1)
  }

  isWanted(topic: string): boolean {
    return (this.#lingering.get(topic) ?? 0) > 0
  }

  /** Undefined where another consumer tells what it reads of this partition already. */
  lead(topic: string, partition: number, from: number): Trail | undefined {
    const key = keyOf(topic, partition)
    if (this.#trails.has(key)) return undefined
    const trail = new Trail(from, this.#bounds, () => this.#trails.delete(key))
    this.#trails.set(key, trail)
    return trail
  }

  after(topic: string, partition: number, offset: number): Recent | undefined {
    return this.#trails.get(keyOf(topic, partition))?.after(offset)
  }
}

const keyOf = (topic: string, partition: number): string => `${topic}[${partition}]`
