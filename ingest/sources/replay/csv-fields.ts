import { COMMA, type CsvRecord, QUOTE } from './csv-records.ts'

/** Where the fields of one record are. Filled again for every record. */
export class CsvFields {
  count = 0
  buffer: Buffer = Buffer.alloc(0)
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly #fieldsMax: number

  /** Fields beyond `fieldsMax` are counted, not kept. */
  constructor(fieldsMax: number) {
    this.#fieldsMax = fieldsMax
    this.starts = new Int32Array(fieldsMax)
    this.ends = new Int32Array(fieldsMax)
  }

  split(record: CsvRecord): void {
    this.count = 0
    if (record.quoted) this.#splitQuoted(record)
    else this.#splitPlain(record.buffer, record.start, record.end)
  }

  text(field: number): string {
    return this.buffer.toString('utf8', this.starts[field], this.ends[field])
  }

  #splitPlain(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer
    let fieldStart = start
    for (let at = start; at < end; at++) {
      if (buffer[at] !== COMMA) continue
      this.#add(fieldStart, at)
      fieldStart = at + 1
    }
    this.#add(fieldStart, end)
  }

  #splitQuoted({ buffer, start, end }: CsvRecord): void {
    const unquoted = Buffer.alloc(end - start)
    this.buffer = unquoted
    let length = 0
    for (let at = start; ; at++) {
      const fieldStart = length
      if (at < end && buffer[at] === QUOTE) {
        for (at++; at < end; at++) {
          if (buffer[at] === QUOTE && buffer[++at] !== QUOTE) break
          unquoted[length++] = buffer[at]
        }
      } else {
        while (at < end && buffer[at] !== COMMA) unquoted[length++] = buffer[at++]
      }
      this.#add(fieldStart, length)
      if (at >= end) return
    }
  }

  #add(start: number, end: number): void {
    if (this.count < this.#fieldsMax) {
      this.starts[this.count] = start
      this.ends[this.count] = end
    }
    this.count++
  }
}
