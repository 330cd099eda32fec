import type { BusRecord, OutgoingRecord } from './bus.ts'

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})
/** Records that were trimmed are given back in lots: moving the rest for each one would cost more than it frees. */
const LOT = 1_024

/** The records of one partition that are still held, in offset order and without gaps. */
export class MemoryLog {
  #records: BusRecord[] = []
  /** Where in `#records` the oldest record held is. */
  #first = 0
  #low: number

  constructor(firstOffset: number) {
    this.#low = firstOffset
  }

  get low(): number {
    return this.#low
  }

  get high(): number {
    return this.#low + this.#records.length - this.#first
  }

  append(record: OutgoingRecord): void {
    this.#records.push({
      offset: this.high,
      key: record.key,
      value: record.value,
      headers: record.headers ?? NO_HEADERS,
    })
  }

  read(offset: number, recordsMax: number): readonly BusRecord[] {
    const start = this.#first + offset - this.#low
    return this.#records.slice(start, start + recordsMax)
  }

  /** Forgets what lies below the offset. */
  trim(offset: number): void {
    if (offset <= this.#low) return
    const low = Math.min(offset, this.high)
    this.#first += low - this.#low
    this.#low = low
    if (this.#first < LOT || this.#first * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#first)
    this.#first = 0
  }
}
