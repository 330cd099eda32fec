import { undescribed } from '../../domain/instrument.ts'
import type { TickColumns } from '../../domain/tick-columns.ts'
import { type Connection, sqlState, UNIQUE_VIOLATION } from './connection.ts'
import { copyInto, copyRows, TICK_COLUMNS } from './copy.ts'
import { float8Array, int8Array, part, textArray, timestamptzArray } from './pg-array.ts'

/** Up to here one statement is faster than COPY in its savepoint, which is four trips to the server. */
const FEW_ROWS_MAX = 200

/** One tick among columns. */
export interface TickRef {
  readonly ticks: TickColumns
  readonly row: number
}

export type StoredTicks = 'all' | ReadonlySet<string>

/** The natural key of a print, as `appendTicks` answers it. */
export const tickKey = (symbol: string, eventTimeMs: number, seq: number, source: string): string =>
  `${symbol}|${eventTimeMs}|${seq}|${source}`

/**
 * Stores the ticks inside the caller's transaction; a print that is there already stays as it was. Answers the keys of
 * those that were new, or 'all'.
 *
 * Offsets and positions have made the records unique already, so COPY nearly always does it. Only where a source told one
 * print under two positions does COPY fail whole; that transaction then takes the patient way.
 */
export async function appendTicks(connection: Connection, batches: readonly TickColumns[]): Promise<StoredTicks> {
  const rows = batches.reduce((sum, { length }) => sum + length, 0)
  if (rows === 0) return 'all'
  if (rows <= FEW_ROWS_MAX) return insertTicks(connection, batches)
  await connection.query('SAVEPOINT before_copy')
  try {
    await copyInto(connection, `COPY stock_data (${TICK_COLUMNS}) FROM STDIN (FORMAT binary)`, copyRows(batches))
    await connection.query('RELEASE before_copy')
    return 'all'
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await connection.query('ROLLBACK TO before_copy')
    return insertTicks(connection, batches)
  }
}

async function insertTicks(connection: Connection, batches: readonly TickColumns[]): Promise<ReadonlySet<string>> {
  const texts = (column: 'symbol' | 'source') =>
    textArray(batches.map((ticks) => ({ values: ticks[column], length: ticks.length })))
  const numbers = (column: 'price' | 'size' | 'seq' | 'eventTimeMs' | 'ingestTimeMs') =>
    batches.map((ticks) => ({ values: ticks[column], length: ticks.length }))
  const { rows } = await connection.query<{ symbol: string; ms: string; seq: string; source: string }>({
    name: 'ticks-insert',
    text: `INSERT INTO stock_data (${TICK_COLUMNS})
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int8[], $4::text[], $5::float8[], $6::float8[], $7::timestamptz[])
           ON CONFLICT DO NOTHING
           RETURNING symbol, (extract(epoch FROM time) * 1000)::bigint AS ms, seq, source`,
    values: [
      texts('symbol'),
      timestamptzArray(numbers('eventTimeMs')),
      int8Array(numbers('seq')),
      texts('source'),
      float8Array(numbers('price')),
      float8Array(numbers('size')),
      timestamptzArray(numbers('ingestTimeMs')),
    ],
  })
  return new Set(rows.map((row) => tickKey(row.symbol, Number(row.ms), Number(row.seq), row.source)))
}

/** The newest tick of each symbol, by (event time, seq). An older one than the quote that is there changes nothing. */
export async function upsertQuotes(connection: Connection, newest: ReadonlyMap<string, TickRef>): Promise<void> {
  if (newest.size === 0) return
  // In order of symbols, so that two transactions never wait for each other.
  const symbols = [...newest.keys()].sort()
  const refs = symbols.flatMap((symbol) => newest.get(symbol) ?? [])
  const column = (name: 'price' | 'size' | 'seq' | 'eventTimeMs') =>
    part(refs.map(({ ticks, row }) => ticks[name][row]))
  await connection.query({
    name: 'quotes-upsert',
    text: `INSERT INTO quotes AS q (symbol, time, seq, price, size, source)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int8[], $4::float8[], $5::float8[], $6::text[])
           ON CONFLICT (symbol) DO UPDATE
           SET time = EXCLUDED.time, seq = EXCLUDED.seq, price = EXCLUDED.price, size = EXCLUDED.size,
               source = EXCLUDED.source
           WHERE (EXCLUDED.time, EXCLUDED.seq) > (q.time, q.seq)`,
    values: [
      textArray(part(symbols)),
      timestamptzArray(column('eventTimeMs')),
      int8Array(column('seq')),
      float8Array(column('price')),
      float8Array(column('size')),
      textArray(part(refs.map(({ ticks, row }) => ticks.source[row]))),
    ],
  })
}

/** Lists symbols nobody has described, so that what has a price can be found. Described ones stay as they are. */
export async function listInstruments(connection: Connection, symbols: Iterable<string>): Promise<void> {
  const unknown = [...symbols].sort().map(undescribed)
  if (unknown.length === 0) return
  await connection.query(
    `INSERT INTO instruments (symbol, name, exchange, currency, asset_class)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [
      unknown.map((i) => i.symbol),
      unknown.map((i) => i.name),
      unknown.map((i) => i.exchange),
      unknown.map((i) => i.currency),
      unknown.map((i) => i.assetClass),
    ],
  )
}
