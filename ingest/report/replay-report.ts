import type { Database } from '../../platform/store/database.ts'

/** What became of a tape. Counts are of the whole tape, also where a run went on from a checkpoint. */
export interface ReplayReport {
  /** Rows of the tape. */
  readonly read: number
  /** Rows that are ticks in the store. */
  readonly stored: number
  /** Rows that went to the dead letters. */
  readonly rejected: number
  /** One-minute bars in the store over the time of the tape. */
  readonly barsPerSymbol: Readonly<Record<string, number>>
  /** Rows of this run per second, from the first row read to the last one stored. */
  readonly ticksPerSecond: number
  /** From a row being read to its arrival at a GraphQL subscriber; null where none arrived. */
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null }
}

export type StoredTape = Pick<ReplayReport, 'stored' | 'rejected' | 'barsPerSymbol'>

/** Counted in the store, not in memory: what is there is what was kept. */
export async function storedTape(database: Database, source: string): Promise<StoredTape> {
  const counts = await database.query<{ symbol: string; ticks: string; bars: string }>(
    'replay_report_ticks',
    `SELECT t.symbol, t.ticks, (SELECT count(*) FROM bars_1m b
       WHERE b.symbol = t.symbol AND b.time >= date_trunc('minute', t.first) AND b.time <= t.last) AS bars
     FROM (SELECT symbol, count(*) AS ticks, min(time) AS first, max(time) AS last
           FROM stock_data WHERE source = $1 GROUP BY symbol) t ORDER BY t.symbol`,
    [source],
  )
  const rejects = await database.query<{ rejected: string }>(
    'replay_report_rejects',
    `SELECT count(*) AS rejected FROM dead_letters WHERE app = 'ingest' AND topic = $1`,
    [source],
  )
  const stored = counts.reduce((sum, row) => sum + Number(row.ticks), 0)
  const rejected = Number(rejects[0]?.rejected ?? 0)
  return {
    stored,
    rejected,
    barsPerSymbol: Object.fromEntries(counts.map((row) => [row.symbol, Number(row.bars)])),
  }
}

const count = (value: number) => value.toLocaleString('en-US')

/** For people. */
export function reportLines(report: ReplayReport): string[] {
  const { p50, p99 } = report.latencyMs
  const bars = Object.entries(report.barsPerSymbol).map(([symbol, number]) => `${symbol} ${count(number)}`)
  return [
    `rows read       ${count(report.read)}`,
    `ticks stored    ${count(report.stored)}`,
    `rows rejected   ${count(report.rejected)}`,
    `1-minute bars   ${bars.join(', ') || 'none'}`,
    `ticks/s         ${count(Math.round(report.ticksPerSecond))}`,
    `tick → subscriber  ${p50 === null ? 'no tick arrived' : `p50 ${p50} ms, p99 ${p99} ms`}`,
  ]
}
