import { join } from 'node:path'
import { type Tick, tick } from '../domain/tick.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import { replaySource } from '../ingest/sources/replay/replay.ts'
import { systemClock } from '../platform/clock.ts'

const GENERATED = 400_000
const SYMBOLS = 204

export interface Workload {
  readonly name: string
  readonly ticks: readonly Tick[]
}

/** Where the recorded tape lies; undefined where nobody says. */
export const recordedTape = (): string | undefined =>
  process.env.TAPE_DIR === undefined ? undefined : join(process.env.TAPE_DIR, 'trades-2013-10-07.csv.gz')

/** The recorded tape where TAPE_DIR says it is, else generated prints of 204 symbols. */
export async function workload(): Promise<Workload> {
  const file = recordedTape()
  if (file === undefined)
    return { name: `${GENERATED} generated ticks of ${SYMBOLS} symbols`, ticks: generated(GENERATED, SYMBOLS) }
  const source = await replaySource({ file, speed: 'max', clock: systemClock })
  const ticks: Tick[] = []
  for await (const batch of source.read(undefined, new AbortController().signal))
    for (const each of batch.ticks) ticks.push(each)
  return { name: `${ticks.length} ticks of the recorded tape of 2013-10-07 (4 symbols)`, ticks }
}

export function generated(count: number, symbols: number): Tick[] {
  const from = Date.UTC(2024, 4, 1, 14)
  return Array.from({ length: count }, (_, i) =>
    tick({
      symbol: `SYM${i % symbols}`,
      price: 100 + (i % 1_000) / 100,
      size: 1 + (i % 500),
      eventTimeMs: from + Math.floor(i / 20),
      ingestTimeMs: from + Math.floor(i / 20),
      seq: i,
      source: 'bench',
      position: i,
    }),
  )
}

/** As columns, `size` rows each: what a hand-written loader would have in memory before it writes. */
export function columnsOf(ticks: readonly Tick[], size: number): TickColumns[] {
  const batches: TickColumns[] = []
  for (let start = 0; start < ticks.length; start += size) {
    const columns = new TickColumns(Math.min(size, ticks.length - start))
    for (const each of ticks.slice(start, start + size)) columns.append(each, 0)
    batches.push(columns)
  }
  return batches
}
