import type { Tick } from './tick.ts'

/**
 * Many ticks as columns. They arrive as columns of bytes and leave as columns of a table, so on the way nobody makes an
 * object of each. `length` rows are filled; `offset` is the bus offset each came from.
 */
export class TickColumns {
  length = 0
  readonly offset: Float64Array
  readonly symbol: string[]
  readonly price: Float64Array
  readonly size: Float64Array
  readonly eventTimeMs: Float64Array
  readonly ingestTimeMs: Float64Array
  readonly seq: Float64Array
  readonly source: string[]
  readonly position: Float64Array

  constructor(capacity: number) {
    this.offset = new Float64Array(capacity)
    this.symbol = new Array(capacity)
    this.price = new Float64Array(capacity)
    this.size = new Float64Array(capacity)
    this.eventTimeMs = new Float64Array(capacity)
    this.ingestTimeMs = new Float64Array(capacity)
    this.seq = new Float64Array(capacity)
    this.source = new Array(capacity)
    this.position = new Float64Array(capacity)
  }

  append(tick: Tick, offset: number): void {
    const i = this.length
    if (i >= this.offset.length) throw new RangeError(`No room for a tick in columns of ${this.offset.length}`)
    this.offset[i] = offset
    this.symbol[i] = tick.symbol
    this.price[i] = tick.price
    this.size[i] = tick.size
    this.eventTimeMs[i] = tick.eventTimeMs
    this.ingestTimeMs[i] = tick.ingestTimeMs
    this.seq[i] = tick.seq
    this.source[i] = tick.source
    this.position[i] = tick.position
    this.length = i + 1
  }

  /** Row `from` takes the place of row `to`. */
  move(from: number, to: number): void {
    this.offset[to] = this.offset[from]
    this.symbol[to] = this.symbol[from]
    this.price[to] = this.price[from]
    this.size[to] = this.size[from]
    this.eventTimeMs[to] = this.eventTimeMs[from]
    this.ingestTimeMs[to] = this.ingestTimeMs[from]
    this.seq[to] = this.seq[from]
    this.source[to] = this.source[from]
    this.position[to] = this.position[from]
  }

  at(i: number): Tick {
    return {
      symbol: this.symbol[i],
      price: this.price[i],
      size: this.size[i],
      eventTimeMs: this.eventTimeMs[i],
      ingestTimeMs: this.ingestTimeMs[i],
      seq: this.seq[i],
      source: this.source[i],
      position: this.position[i],
    }
  }
}
