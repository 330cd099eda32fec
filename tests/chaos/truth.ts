import { readFileSync } from 'node:fs'
import avro from 'avsc'
import type { BusRecord } from '../../platform/bus/bus.ts'

/**
 * What must be in the store and on the topics, computed from the log alone, by nothing the platform uses: everything is
 * kept, looked through again and again, and sorted at the end. Slow and simple on purpose.
 */
export interface Truth {
  readonly rows: Map<string, string>
  readonly quotes: Map<string, string>
  readonly minutes: Map<string, string>
  /** `symbol|interval|start|trades` → the bar as it stood then. */
  readonly events: Map<string, string>
  /** `partition|offset` */
  readonly poison: Set<string>
  readonly late: Set<string>
  readonly duplicates: number
}

interface Print {
  symbol: string
  price: number
  size: number
  eventTimeMs: number
  ingestTimeMs: number
  seq: number
  source: string
  position: number
}
interface FullBar {
  readonly key: string
  readonly end: number
  readonly prints: Print[]
  closed: boolean
}

const type = avro.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../platform/bus/avro/stock-data.avsc', import.meta.url), 'utf8')),
)
const INTERVALS = { '1m': 60_000, '5m': 300_000, '1h': 3_600_000, '1d': 86_400_000 }
const OUT_OF_ORDER_MS = 5_000
const LATENESS_MS = 120_000

export function truthOf(log: ReadonlyMap<number, readonly BusRecord[]>): Truth {
  const truth = { ...emptyTruth(), duplicates: 0 }
  for (const [partition, records] of log) {
    const seen = new Map<string, Set<number>>()
    const watermarks = new Map<string, number>()
    const bars = new Map<string, FullBar>()
    const passed = ({ prints }: FullBar) => Math.min(...prints.map(({ source }) => watermarks.get(source) ?? 0))
    for (const { offset, value } of records) {
      const print = parse(value)
      if (!print) {
        truth.poison.add(`${partition}|${offset}`)
        continue
      }
      const positions = seen.get(print.source) ?? new Set()
      seen.set(print.source, positions)
      if (positions.has(print.position)) {
        truth.duplicates++
        continue
      }
      positions.add(print.position)
      truth.rows.set(
        `${print.symbol}|${print.eventTimeMs}|${print.seq}|${print.source}`,
        `${print.price}|${print.size}`,
      )
      const watermark = watermarks.get(print.source) ?? Number.NEGATIVE_INFINITY
      const own = Object.entries(INTERVALS).map(([name, ms]) => barOf(print, name, ms))
      const final = own.some(({ key, end }) => {
        const bar = bars.get(key)
        return bar !== undefined && end + LATENESS_MS <= passed(bar)
      })
      if (own[0].end + LATENESS_MS <= watermark || final) truth.late.add(`${partition}|${offset}`)
      else
        for (const { key, end } of own) {
          const bar = bars.get(key) ?? { key, end, prints: [], closed: end <= watermark }
          bars.set(key, bar)
          bar.prints.push(print)
          if (bar.closed) tell(truth, bar)
        }
      if (print.eventTimeMs - OUT_OF_ORDER_MS <= watermark) continue
      watermarks.set(print.source, print.eventTimeMs - OUT_OF_ORDER_MS)
      if (Math.floor((print.eventTimeMs - OUT_OF_ORDER_MS) / 60_000) === Math.floor(watermark / 60_000)) continue
      for (const bar of bars.values())
        if (!bar.closed && bar.end <= passed(bar)) {
          bar.closed = true
          tell(truth, bar)
        }
    }
    for (const bar of bars.values()) if (bar.key.includes('|1m|')) truth.minutes.set(bar.key, values(bar))
  }
  truth.quotes = newest(log)
  return truth
}

const emptyTruth = () => ({
  rows: new Map<string, string>(),
  quotes: new Map<string, string>(),
  minutes: new Map<string, string>(),
  events: new Map<string, string>(),
  poison: new Set<string>(),
  late: new Set<string>(),
})

function parse(value: Buffer | null): Print | undefined {
  try {
    return type.fromBuffer((value ?? Buffer.alloc(0)).subarray(5))
  } catch {
    return undefined
  }
}

function barOf(print: Print, name: string, ms: number) {
  const start = Math.floor(print.eventTimeMs / ms) * ms
  return { key: `${print.symbol}|${name}|${start}`, end: start + ms }
}

const tell = (truth: { events: Map<string, string> }, bar: FullBar) =>
  truth.events.set(`${bar.key}|${bar.prints.length}`, values(bar))

function values({ prints }: FullBar): string {
  const sorted = prints.toSorted((a, b) => a.eventTimeMs - b.eventTimeMs || a.seq - b.seq)
  const prices = sorted.map(({ price }) => price)
  const volume = sorted.reduce((sum, { size }) => sum + size, 0)
  return [prices[0], Math.max(...prices), Math.min(...prices), prices.at(-1), volume, prices.length].join('|')
}

function newest(log: ReadonlyMap<number, readonly BusRecord[]>): Map<string, string> {
  const prints = [...log.values()].flat().flatMap(({ value }) => parse(value) ?? [])
  const sorted = prints.sort((a, b) => a.eventTimeMs - b.eventTimeMs || a.seq - b.seq)
  return new Map(
    sorted.map(({ symbol, price, size, eventTimeMs, seq }) => [symbol, [eventTimeMs, seq, price, size].join('|')]),
  )
}
