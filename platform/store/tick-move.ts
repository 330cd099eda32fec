import type { TickColumns } from '../../domain/tick-columns.ts'
import { type Connection, sqlState, UNIQUE_VIOLATION } from './connection.ts'
import { TICK_COLUMNS } from './copy.ts'
import { float8Array, int8Array, textArray, timestamptzArray } from './pg-array.ts'
import type { Moving } from './stream-checkpoints.ts'

/** Above it a COPY is worth the trips to the server that this saves. */
export const ROWS_AT_ONCE_MAX = 200

/** Consecutive ticks of one partition. */
export interface PartitionTicks {
  readonly partition: number
  readonly ticks: TickColumns
}

/**
 * The compare-and-set, the rows and the quotes as one statement, which is a transaction by itself: one trip to the server in
 * place of five. A small transaction is little else than its trips, and at some thousand ticks a second there are hundreds.
 * Answers the partitions that moved; of the others nothing is stored. Undefined, and nothing has happened, where one of the
 * prints is there already: to look for each beforehand costs a third of the statement, and offsets and positions have made
 * them unique but for a source that told one print under two positions.
 *
 * Rows join `moved`, so nothing is stored of a partition before it has moved. Quotes as in `upsertQuotes`; of two equally
 * new ticks of a symbol the first one counts.
 */
export async function moveAndAppend(
  connection: Connection,
  moving: Moving,
  batches: readonly PartitionTicks[],
): Promise<ReadonlySet<number> | undefined> {
  try {
    return await appendMoved(connection, moving, batches)
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    return undefined
  }
}

async function appendMoved(
  connection: Connection,
  moving: Moving,
  batches: readonly PartitionTicks[],
): Promise<ReadonlySet<number>> {
  const texts = (column: 'symbol' | 'source') =>
    textArray(batches.map(({ ticks }) => ({ values: ticks[column], length: ticks.length })))
  const numbers = (column: 'price' | 'size' | 'seq' | 'eventTimeMs' | 'ingestTimeMs') =>
    batches.map(({ ticks }) => ({ values: ticks[column], length: ticks.length }))
  const partitions = batches.map(({ partition, ticks: { length } }) => ({
    values: new Array<number>(length).fill(partition),
    length,
  }))
  const { rows } = await connection.query<{ moved: number[] | null }>({
    name: `ticks-${moving.name}`,
    text: `WITH moved AS (${moving.update}),
           given AS (
             SELECT t.* FROM unnest($8::int8[], $9::text[], $10::timestamptz[], $11::int8[], $12::text[], $13::float8[],
                                    $14::float8[], $15::timestamptz[])
               WITH ORDINALITY AS t(part, symbol, time, seq, source, price, size, ingest_time, place)
             JOIN moved ON moved.part = t.part
           ),
           stored AS (INSERT INTO stock_data (${TICK_COLUMNS}) SELECT ${TICK_COLUMNS} FROM given),
           quoted AS (
             INSERT INTO quotes AS q (symbol, time, seq, price, size, source)
             SELECT DISTINCT ON (symbol) symbol, time, seq, price, size, source FROM given
             ORDER BY symbol, time DESC, seq DESC, place
             ON CONFLICT (symbol) DO UPDATE
             SET time = EXCLUDED.time, seq = EXCLUDED.seq, price = EXCLUDED.price, size = EXCLUDED.size,
                 source = EXCLUDED.source
             WHERE (EXCLUDED.time, EXCLUDED.seq) > (q.time, q.seq)
           )
           SELECT array_agg(part) AS moved FROM moved`,
    values: [
      ...moving.values,
      int8Array(partitions),
      texts('symbol'),
      timestamptzArray(numbers('eventTimeMs')),
      int8Array(numbers('seq')),
      texts('source'),
      float8Array(numbers('price')),
      float8Array(numbers('size')),
      timestamptzArray(numbers('ingestTimeMs')),
    ],
  })
  return new Set(rows[0].moved)
}
