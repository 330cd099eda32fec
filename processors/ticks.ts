import type { Tick } from '../domain/tick.ts'
import type { TickColumns } from '../domain/tick-columns.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import type { Connection } from '../platform/store/connection.ts'
import type { Moving } from '../platform/store/stream-checkpoints.ts'
import { moveAndAppend, type PartitionTicks, ROWS_AT_ONCE_MAX } from '../platform/store/tick-move.ts'
import {
  appendTicks,
  listInstruments,
  type StoredTicks,
  type TickRef,
  tickKey,
  upsertQuotes,
} from '../platform/store/tick-writer.ts'
import type { Fold, Owned, Processor } from './processor.ts'
import { readTicks, type TickWork } from './tick-reading.ts'

/** A transaction of more ticks than this is catching up, and then only the newest of each symbol are worth telling. */
export const TOLD_ONE_BY_ONE_MAX = 1_000
/** Ticks told of one symbol while we catch up. The others can be queried. */
export const TOLD_WHILE_BEHIND_MAX = 20
const KNOWN_SYMBOLS_MAX = 100_000

export interface TicksOptions {
  readonly metrics: Metrics
  readonly toldOneByOneMax?: number
  readonly toldWhileBehindMax?: number
}

/**
 * stock-data → rows, the newest quote of each symbol, and whoever listens to it. No state but the tables, and each tick
 * stands for itself: one that is too late for its bar is stored all the same.
 */
export class Ticks implements Processor<undefined, TickWork> {
  readonly name = 'ticks'
  readonly topic = 'stock-data'
  readonly reading = readTicks({ keepsOriginals: false })
  readonly synchronousCommit = 'off'
  readonly fetchLingerMs = 0
  readonly quiet = false
  readonly #options: Required<TicksOptions>
  readonly #known = new KnownSymbols()

  constructor(options: TicksOptions) {
    this.#options = {
      toldOneByOneMax: TOLD_ONE_BY_ONE_MAX,
      toldWhileBehindMax: TOLD_WHILE_BEHIND_MAX,
      ...options,
    }
  }

  open(): undefined {
    // The database may have lost the commit that listed them.
    this.#known.clear()
  }

  isSmall(work: readonly TickWork[]): boolean {
    let rows = 0
    for (const { ticks } of work) rows += ticks.length
    // Symbols that nobody has listed yet take a statement more.
    return rows <= ROWS_AT_ONCE_MAX && work.every(({ ticks }) => this.#known.hasAll(ticks))
  }

  begin(): Fold<undefined, TickWork> {
    return new TicksFold(this.#options, this.#known)
  }
}

class TicksFold implements Fold<undefined, TickWork> {
  readonly stateChanges = []
  readonly events = []
  readonly lateCount = 0
  readonly #options: Required<TicksOptions>
  readonly #known: KnownSymbols
  #batches: PartitionTicks[] = []
  readonly #newest = new Map<string, { ticks: TickColumns; row: number }>()
  #stored: StoredTicks = 'all'

  constructor(options: Required<TicksOptions>, known: KnownSymbols) {
    this.#options = options
    this.#known = known
  }

  add({ work: { partition, ticks } }: Owned<undefined, TickWork>): void {
    if (ticks.length === 0) return
    this.#batches.push({ partition, ticks })
    for (let row = 0; row < ticks.length; row++) {
      const newest = this.#newest.get(ticks.symbol[row])
      if (newest === undefined) this.#newest.set(ticks.symbol[row], { ticks, row })
      else if (isNewer(ticks, row, newest)) {
        newest.ticks = ticks
        newest.row = row
      }
    }
  }

  async write(connection: Connection): Promise<void> {
    this.#stored = await appendTicks(
      connection,
      this.#batches.map(({ ticks }) => ticks),
    )
    await upsertQuotes(connection, this.#newest)
    await listInstruments(connection, this.#known.missing(this.#newest.keys()))
  }

  async moveAndWrite(connection: Connection, moving: Moving): Promise<ReadonlySet<number> | undefined> {
    const moved = await moveAndAppend(connection, moving, this.#batches)
    if (moved) this.#batches = this.#batches.filter(({ partition }) => moved.has(partition))
    return moved
  }

  async tell(publish: PubSub['publish']): Promise<void> {
    this.#known.add(this.#newest.keys())
    const { metrics, toldOneByOneMax, toldWhileBehindMax } = this.#options
    const rows = this.#batches.reduce((sum, { ticks }) => sum + ticks.length, 0)
    const toldMax = rows <= toldOneByOneMax ? rows : toldWhileBehindMax
    const told = this.#stored === 'all' ? this.#newestOfAll(toldMax) : this.#newestOfNew(this.#stored, toldMax)
    await Promise.all(
      Array.from(told, ([symbol, { newestFirst, skipped }]) => {
        if (skipped > 0) metrics.pubsubSkippedTicks.inc(skipped)
        return publish('tick', symbol, { ticks: newestFirst.reverse(), skipped })
      }),
    )
  }

  /** Backwards, so that of ten thousand ticks only those that are told are made. */
  #newestOfAll(toldMax: number): Map<string, Told> {
    const told = new Map<string, Told>()
    for (let b = this.#batches.length - 1; b >= 0; b--) {
      const { ticks } = this.#batches[b]
      for (let row = ticks.length - 1; row >= 0; row--) tellAlso(told, ticks, row, toldMax)
    }
    return told
  }

  /** Of a print that came twice in this transaction, the first is the row. */
  #newestOfNew(stored: ReadonlySet<string>, toldMax: number): Map<string, Told> {
    const untold = new Set(stored)
    const refs: TickRef[] = []
    for (const { ticks } of this.#batches)
      for (let row = 0; row < ticks.length; row++) if (untold.delete(keyAt(ticks, row))) refs.push({ ticks, row })
    const told = new Map<string, Told>()
    for (const { ticks, row } of refs.reverse()) tellAlso(told, ticks, row, toldMax)
    return told
  }
}

interface Told {
  readonly newestFirst: Tick[]
  skipped: number
}

function tellAlso(told: Map<string, Told>, ticks: TickColumns, row: number, toldMax: number): void {
  const symbol = ticks.symbol[row]
  let own = told.get(symbol)
  if (own === undefined) {
    own = { newestFirst: [], skipped: 0 }
    told.set(symbol, own)
  }
  if (own.newestFirst.length < toldMax) own.newestFirst.push(ticks.at(row))
  else own.skipped++
}

const keyAt = ({ symbol, eventTimeMs, seq, source }: TickColumns, row: number): string =>
  tickKey(symbol[row], eventTimeMs[row], seq[row], source[row])

/** By (event time, seq), as the quotes in the table. */
const isNewer = (ticks: TickColumns, row: number, than: TickRef): boolean => {
  const timeMs = ticks.eventTimeMs[row]
  const thanMs = than.ticks.eventTimeMs[than.row]
  return timeMs > thanMs || (timeMs === thanMs && ticks.seq[row] > than.ticks.seq[than.row])
}

/** Symbols that are listed as instruments already, so that not every transaction asks. Forgets all when it is full. */
class KnownSymbols {
  readonly #symbols = new Set<string>()

  missing(symbols: Iterable<string>): string[] {
    return [...symbols].filter((symbol) => !this.#symbols.has(symbol))
  }

  hasAll({ symbol, length }: TickColumns): boolean {
    for (let row = 0; row < length; row++) if (!this.#symbols.has(symbol[row])) return false
    return true
  }

  /** Once the transaction that listed them was committed. */
  add(symbols: Iterable<string>): void {
    if (this.#symbols.size > KNOWN_SYMBOLS_MAX) this.#symbols.clear()
    for (const symbol of symbols) this.#symbols.add(symbol)
  }

  clear(): void {
    this.#symbols.clear()
  }
}
