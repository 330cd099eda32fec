import { partitionOf } from '../platform/bus/partition.ts'

const REMEMBERED_MAX = 100_000

/**
 * Which partition a symbol belongs to. The state of a symbol lives in one partition: were its ticks in two, each would fold
 * bars of its own, and the last to be written would win. Forgets all when it is full.
 */
export class Placement {
  readonly #partitions: number
  readonly #remembered = new Map<string, number>()

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  of(symbol: string): number {
    const known = this.#remembered.get(symbol)
    if (known !== undefined) return known
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    const partition = partitionOf(symbol, this.#partitions)
    this.#remembered.set(symbol, partition)
    return partition
  }
}
