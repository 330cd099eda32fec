import { from } from 'pg-copy-streams'
import type { TickColumns } from '../../domain/tick-columns.ts'
import type { Connection } from './connection.ts'
import { writeFloat8, writeInt8, writeText, writeTimestamptz } from './pg-array.ts'

/** The order in which `copyRows` writes them. */
export const TICK_COLUMNS = 'symbol, time, seq, source, price, size, ingest_time'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
/** Field count, five fixed fields of 4 + 8 bytes, and the lengths of two texts. */
const ROW_BYTES_WITHOUT_TEXT = 2 + 5 * 12 + 2 * 4
const UTF8_BYTES_PER_UNIT_MAX = 3

/** The ticks as one binary COPY stream: the cheapest way into a table. */
export function copyRows(batches: readonly TickColumns[]): Buffer {
  const buffer = Buffer.allocUnsafe(bytesMax(batches))
  SIGNATURE.copy(buffer)
  buffer.fill(0, SIGNATURE.length, HEADER_BYTES)
  let at = HEADER_BYTES
  for (const ticks of batches) {
    for (let i = 0; i < ticks.length; i++) {
      buffer.writeInt16BE(7, at)
      at = writeText(buffer, ticks.symbol[i], at + 2)
      at = writeTimestamptz(buffer, ticks.eventTimeMs[i], at)
      at = writeInt8(buffer, ticks.seq[i], at)
      at = writeText(buffer, ticks.source[i], at)
      at = writeFloat8(buffer, ticks.price[i], at)
      at = writeFloat8(buffer, ticks.size[i], at)
      at = writeTimestamptz(buffer, ticks.ingestTimeMs[i], at)
    }
  }
  buffer.writeInt16BE(-1, at)
  return buffer.subarray(0, at + 2)
}

function bytesMax(batches: readonly TickColumns[]): number {
  let bytes = HEADER_BYTES + 2
  for (const { length, symbol, source } of batches) {
    bytes += length * ROW_BYTES_WITHOUT_TEXT
    for (let i = 0; i < length; i++) bytes += UTF8_BYTES_PER_UNIT_MAX * (symbol[i].length + source[i].length)
  }
  return bytes
}

/** Resolves when the server has taken all rows; rejects with its error, and then it has taken none. */
export function copyInto(connection: Connection, statement: string, rows: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = connection.query(from(statement))
    stream.on('finish', resolve)
    stream.on('error', reject)
    stream.end(rows)
  })
}
