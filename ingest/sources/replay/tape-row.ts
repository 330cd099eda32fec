import { PlatformError } from '../../../domain/errors.ts'
import { type Tick, tick } from '../../../domain/tick.ts'
import { CsvFields } from './csv-fields.ts'
import type { CsvRecord } from './csv-records.ts'
import { readNumber, SymbolReader, TimeReader } from './read-values.ts'

/** Which column carries what. A tape may have more, in any order; they are passed over. */
export interface TapeColumns {
  readonly count: number
  readonly time: number
  readonly symbol: number
  readonly price: number
  readonly size: number
}

/** @throws INVALID_TAPE with what is missing. */
export function columnsOf(header: readonly string[], file: string): TapeColumns {
  const names = header.map((name) => name.trim().toLowerCase())
  const indexOf = (name: string) => {
    const index = names.indexOf(name)
    if (index < 0)
      throw new PlatformError(
        'INVALID_TAPE',
        `${file} has no column ${name}: its first line must name time, symbol, price and size, was ${quote(header.join(','))}`,
      )
    if (names.indexOf(name, index + 1) >= 0)
      throw new PlatformError('INVALID_TAPE', `${file} must have one column ${name}, its first line names several`)
    return index
  }
  return {
    count: names.length,
    time: indexOf('time'),
    symbol: indexOf('symbol'),
    price: indexOf('price'),
    size: indexOf('size'),
  }
}

/** 1973 in milliseconds, the year 5138 in seconds: a smaller number is a time in seconds. */
const MILLISECONDS_MIN = 100_000_000_000

/** Makes a tick of a row. Nothing a tape may contain gets past it but a valid tick or INVALID_EVENT. */
export class TapeRow {
  readonly #columns: TapeColumns
  readonly #source: string
  readonly #fields: CsvFields
  readonly #times = new TimeReader()
  readonly #symbols = new SymbolReader()

  constructor(columns: TapeColumns, source: string) {
    this.#columns = columns
    this.#source = source
    this.#fields = new CsvFields(columns.count)
  }

  /** @throws INVALID_EVENT with what was wrong and what was expected. */
  read(record: CsvRecord, row: number, ingestTimeMs: number): Tick {
    if (record.problem !== undefined) throw new PlatformError('INVALID_EVENT', record.problem)
    const columns = this.#columns
    const fields = this.#fields
    fields.split(record)
    if (fields.count !== columns.count)
      throw new PlatformError('INVALID_EVENT', `a row must have ${columns.count} columns, had ${fields.count}`)
    const { buffer, starts, ends } = fields
    const eventTimeMs = this.#times.read(buffer, starts[columns.time], ends[columns.time])
    if (Number.isNaN(eventTimeMs))
      throw this.#invalid('time', 'ISO 8601 in UTC (ending in Z) or milliseconds since 1970', columns.time)
    if (eventTimeMs < MILLISECONDS_MIN)
      throw this.#invalid('time', 'later than March 1973, in milliseconds and not in seconds', columns.time)
    const price = readNumber(buffer, starts[columns.price], ends[columns.price])
    if (Number.isNaN(price)) throw this.#invalid('price', 'a decimal number', columns.price)
    const size = readNumber(buffer, starts[columns.size], ends[columns.size])
    if (Number.isNaN(size)) throw this.#invalid('size', 'a decimal number', columns.size)
    return tick({
      symbol: this.#symbols.read(buffer, starts[columns.symbol], ends[columns.symbol]),
      price,
      size,
      eventTimeMs,
      ingestTimeMs,
      seq: row,
      source: this.#source,
      position: row,
    })
  }

  #invalid(name: string, expected: string, column: number): PlatformError {
    return new PlatformError('INVALID_EVENT', `${name} must be ${expected}, was ${quote(this.#fields.text(column))}`)
  }
}

const quote = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
