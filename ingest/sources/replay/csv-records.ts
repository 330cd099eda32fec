import { ORIGINAL_BYTES_MAX } from '../../source.ts'

/** Nobody writes a row this long; without a bound, a file without line ends would be read into memory whole. */
export const RECORD_BYTES_MAX = 1_048_576

export const COMMA = 44
export const QUOTE = 34
const LF = 10
const CR = 13

const MORE = -1
const MALFORMED = -2

/** The record just read. One object, filled again and again: what is to be kept must be copied. */
export interface CsvRecord {
  buffer: Buffer
  start: number
  end: number
  /** Line of the file it begins on, from 1. */
  line: number
  /** It contains a quote, so its fields have to be unquoted. */
  quoted: boolean
  /** Why it cannot be read as fields at all. */
  problem: string | undefined
}

/**
 * Cuts a stream of bytes into CSV records (RFC 4180: quoted fields may hold commas, quotes and line ends; LF or CRLF),
 * without making a string or an object of each. Empty lines are passed over. A record with broken quotes is its first line
 * alone, so that one stray quote does not swallow the rest of the tape.
 */
export class CsvRecords {
  readonly record: CsvRecord
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where `#buffer` begins in the stream. */
  #base: number
  #line: number
  #nextQuote = -1
  #ended = false
  /** A line over the bound, until its end has been found. */
  #overlong: { readonly head: Buffer; readonly byte: number } | undefined

  constructor(byte: number, line: number) {
    this.#base = byte
    this.#line = line
    this.record = { buffer: this.#buffer, start: 0, end: 0, line, quoted: false, problem: undefined }
  }

  /** Where the next record begins in the stream: a reader started there goes on exactly here. */
  get byte(): number {
    return this.#overlong?.byte ?? this.#base + this.#at
  }

  /** The line the next record begins on. */
  get line(): number {
    return this.#line
  }

  push(chunk: Buffer): void {
    this.#base += this.#at
    this.#buffer = this.#at === this.#buffer.length ? chunk : Buffer.concat([this.#buffer.subarray(this.#at), chunk])
    this.#at = 0
    this.#nextQuote = -1
  }

  /** No more bytes come: what is left is the last record, with or without a line end. */
  end(): void {
    this.#ended = true
  }

  /** False when more bytes are needed, or there are no more. */
  next(): boolean {
    for (;;) {
      if (this.#at >= this.#buffer.length) return this.#ended && this.#endOverlong(this.#at)
      let end = this.#buffer.indexOf(LF, this.#at)
      if (end < 0) {
        if (!this.#ended) return this.#waitForLineEnd()
        end = this.#buffer.length
      }
      if (this.#endOverlong(end)) return true
      if (end - this.#at > RECORD_BYTES_MAX) {
        this.#overlong = this.#head()
        continue
      }
      const found = this.#quoteBefore(end) ? this.#quotedRecord(end) : this.#accept(end, false, undefined)
      if (found === MORE) return false
      if (found) return true
    }
  }

  #waitForLineEnd(): false {
    if (this.#overlong === undefined && this.#buffer.length - this.#at > RECORD_BYTES_MAX) this.#overlong = this.#head()
    if (this.#overlong !== undefined) this.#at = this.#buffer.length
    return false
  }

  #head() {
    const head = Buffer.from(this.#buffer.subarray(this.#at, this.#at + ORIGINAL_BYTES_MAX))
    return { head, byte: this.byte }
  }

  #endOverlong(end: number): boolean {
    if (this.#overlong === undefined) return false
    const { head } = this.#overlong
    this.#overlong = undefined
    const record = this.record
    record.buffer = head
    record.start = 0
    record.end = head.length
    record.line = this.#line++
    record.quoted = false
    record.problem = `a line must be at most ${RECORD_BYTES_MAX} bytes; only its beginning is kept`
    this.#at = Math.min(end + 1, this.#buffer.length)
    return true
  }

  #quoteBefore(end: number): boolean {
    if (this.#nextQuote < this.#at) {
      const quote = this.#buffer.indexOf(QUOTE, this.#at)
      this.#nextQuote = quote < 0 ? Number.POSITIVE_INFINITY : quote
    }
    return this.#nextQuote < end
  }

  #quotedRecord(lineEnd: number): boolean | typeof MORE {
    const end = this.#quotedEnd()
    if (end === MORE) return MORE
    if (end === MALFORMED || end - this.#at > RECORD_BYTES_MAX)
      return this.#accept(lineEnd, true, 'a quoted field must be closed, and then a comma or the line end must follow')
    return this.#accept(end, true, undefined)
  }

  /** False for an empty line, which is passed over. */
  #accept(end: number, quoted: boolean, problem: string | undefined): boolean {
    const start = this.#at
    const record = this.record
    record.buffer = this.#buffer
    record.start = start
    record.end = end > start && this.#buffer[end - 1] === CR ? end - 1 : end
    record.line = this.#line++
    record.quoted = quoted
    record.problem = problem
    if (quoted) this.#line += lineEndsWithin(this.#buffer, start, end)
    this.#at = Math.min(end + 1, this.#buffer.length)
    return record.end > start
  }

  /** Where the record ends that begins here and has a quote in its first line. */
  #quotedEnd(): number {
    const buffer = this.#buffer
    for (let at = this.#at; ; ) {
      if (buffer[at] === QUOTE) {
        at = this.#afterClosingQuote(at + 1)
        if (at < 0) return at
        if (at === buffer.length) return this.#ended ? at : this.#moreOrMalformed()
        if (buffer[at] === CR && (at + 1 === buffer.length || buffer[at + 1] === LF)) at++
        if (at === buffer.length) return this.#ended ? at : this.#moreOrMalformed()
        if (buffer[at] === LF) return at
        if (buffer[at] !== COMMA) return MALFORMED
      }
      while (at < buffer.length && buffer[at] !== COMMA && buffer[at] !== LF) at++
      if (at === buffer.length) return this.#ended ? at : this.#moreOrMalformed()
      if (buffer[at] === LF) return at
      at++
    }
  }

  #afterClosingQuote(from: number): number {
    for (let at = from; ; at += 2) {
      at = this.#buffer.indexOf(QUOTE, at)
      if (at < 0) return this.#ended ? MALFORMED : this.#moreOrMalformed()
      if (at + 1 === this.#buffer.length && !this.#ended) return this.#moreOrMalformed()
      if (this.#buffer[at + 1] !== QUOTE) return at + 1
    }
  }

  #moreOrMalformed(): typeof MORE | typeof MALFORMED {
    return this.#buffer.length - this.#at > RECORD_BYTES_MAX ? MALFORMED : MORE
  }
}

function lineEndsWithin(buffer: Buffer, start: number, end: number): number {
  let count = 0
  for (let at = buffer.indexOf(LF, start); at >= 0 && at < end; at = buffer.indexOf(LF, at + 1)) count++
  return count
}
