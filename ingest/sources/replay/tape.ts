import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createGunzip } from 'node:zlib'
import { PlatformError } from '../../../domain/errors.ts'
import { CsvFields } from './csv-fields.ts'
import { CsvRecords } from './csv-records.ts'
import { columnsOf, type TapeColumns } from './tape-row.ts'

const CHUNK_BYTES = 131_072
const IDENTITY_BYTES = 65_536
const COLUMNS_MAX = 1_000
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const EXPECTED = 'a tape is a CSV or CSV.gz file whose first line names the columns time, symbol, price and size'

/** A file that was found to be a tape. */
export interface Tape {
  readonly file: string
  readonly gzip: boolean
  /** Changes when the file does, so that a checkpoint is never applied to another tape. */
  readonly identity: string
  readonly columns: TapeColumns
  /** Where the first row begins, in bytes of CSV, and on which line. */
  readonly firstRowByte: number
  readonly firstRowLine: number
}

/**
 * Finds out that the file is a tape before anything of it is told. A gzip is decompressed to its end once, because a
 * truncated one is only noticed there. That costs about 2 ms per MB of CSV, off the event loop.
 * @throws INVALID_TAPE with what was wrong and what was expected.
 */
export async function openTape(file: string): Promise<Tape> {
  const gzip = file.toLowerCase().endsWith('.gz')
  const identity = await identityOf(file, gzip)
  let records: CsvRecords | undefined
  let header: TapeHeader | undefined
  for await (const chunk of tapeBytes({ file, gzip }, 0)) {
    if (header !== undefined) continue
    if (chunk.includes(0)) throw invalid(file, 'is not text')
    const markBytes = records === undefined && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
    records ??= new CsvRecords(markBytes, 1)
    records.push(chunk.subarray(markBytes))
    header = readHeader(file, records)
    if (header !== undefined && !gzip) break
  }
  records?.end()
  header ??= records && readHeader(file, records)
  if (header === undefined) throw invalid(file, 'is empty')
  return { file, gzip, identity, ...header }
}

/** The CSV from that byte on. Skipping in a gzip costs its decompression. @throws INVALID_TAPE where it cannot be read. */
export async function* tapeBytes(tape: Pick<Tape, 'file' | 'gzip'>, fromByte: number): AsyncGenerator<Buffer> {
  const start = tape.gzip ? 0 : fromByte
  let skip = tape.gzip ? fromByte : 0
  const raw = createReadStream(tape.file, { start, highWaterMark: CHUNK_BYTES })
  // What the pipeline reports is also thrown to whoever iterates over its last stream.
  const bytes = tape.gzip ? pipeline(raw, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : raw
  try {
    for await (const chunk of bytes) {
      if (skip >= chunk.length) skip -= chunk.length
      else {
        yield skip === 0 ? chunk : chunk.subarray(skip)
        skip = 0
      }
    }
  } catch (error) {
    throw unreadable(tape.file, error)
  } finally {
    raw.destroy()
  }
}

type TapeHeader = Pick<Tape, 'columns' | 'firstRowByte' | 'firstRowLine'>

function readHeader(file: string, records: CsvRecords): TapeHeader | undefined {
  if (!records.next()) return undefined
  const { record } = records
  if (record.problem !== undefined) throw invalid(file, `has no header: ${record.problem}`)
  const fields = new CsvFields(COLUMNS_MAX)
  fields.split(record)
  if (fields.count > COLUMNS_MAX) throw invalid(file, `has ${fields.count} columns, at most ${COLUMNS_MAX} are read`)
  const names = Array.from({ length: fields.count }, (_, i) => fields.text(i))
  return { columns: columnsOf(names, file), firstRowByte: records.byte, firstRowLine: records.line }
}

async function identityOf(file: string, gzip: boolean): Promise<string> {
  try {
    const found = await stat(file)
    if (!found.isFile()) throw invalid(file, found.isDirectory() ? 'is a directory' : 'is not a file')
    if (found.size === 0) throw invalid(file, 'is empty')
    await using handle = await open(file)
    const ends = Buffer.alloc(IDENTITY_BYTES * 2)
    const head = await handle.read(ends, 0, IDENTITY_BYTES, 0)
    await handle.read(ends, IDENTITY_BYTES, IDENTITY_BYTES, Math.max(0, found.size - IDENTITY_BYTES))
    const isGzip = head.bytesRead >= 2 && ends.subarray(0, 2).equals(GZIP_MAGIC)
    if (gzip && !isGzip) throw invalid(file, 'is named .gz and is not gzip')
    if (!gzip && isGzip) throw invalid(file, 'is gzip and must be named .csv.gz')
    return `${found.size}-${crc32(ends).toString(16)}`
  } catch (error) {
    throw unreadable(file, error)
  }
}

const invalid = (file: string, was: string, cause?: unknown) =>
  new PlatformError('INVALID_TAPE', `${file} ${was}; ${EXPECTED}`, { cause })

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a directory',
  Z_BUF_ERROR: 'is a truncated gzip',
  Z_DATA_ERROR: 'is a damaged gzip',
}

function unreadable(file: string, error: unknown): unknown {
  if (error instanceof PlatformError || !(error instanceof Error) || !('code' in error)) return error
  return invalid(file, REASONS[String(error.code)] ?? `cannot be read: ${error.message}`, error)
}
