import { checkPrint, checkSource, checkSymbol, type Tick } from '../../domain/tick.ts'
import type { TickColumns } from '../../domain/tick-columns.ts'
import { InternedStrings } from './interned-strings.ts'
import { FRAME_BYTES, undecodable, writeFrame } from './wire-format.ts'

// Ticks are most of what travels, so the current schema of stock-data has a reader and a writer written by hand: no object
// and no string is made per record. The tests hold them to what avsc makes of `avro/stock-data.avsc`, field by field.

/** Reads values of the current schema of `stock-data` into columns. Not reentrant; each codec has its own. */
export class TickReader {
  readonly #symbols = new InternedStrings(checkSymbol)
  readonly #sources = new InternedStrings(checkSource)
  #value: Buffer = Buffer.alloc(0)
  /** The place of the next field: kept here, because returning it with every field would allocate. */
  #at = 0

  /**
   * Appends one row. Nothing is appended when it throws.
   * @throws UNDECODABLE_EVENT, INVALID_EVENT
   */
  append(value: Buffer, offset: number, into: TickColumns): void {
    const row = into.length
    if (row >= into.offset.length) throw new RangeError(`No room for a tick in columns of ${into.offset.length}`)
    this.#value = value
    this.#at = FRAME_BYTES
    const symbol = this.#string(this.#symbols)
    const price = this.#double()
    const size = this.#double()
    const eventTimeMs = this.#long()
    const ingestTimeMs = this.#long()
    const seq = this.#long()
    const source = this.#string(this.#sources)
    const position = this.#long()
    if (this.#at !== value.length) throw undecodable(`${value.length - this.#at} bytes follow the tick`)
    checkPrint(price, size, eventTimeMs, ingestTimeMs, seq, position)
    into.offset[row] = offset
    into.symbol[row] = symbol
    into.price[row] = price
    into.size[row] = size
    into.eventTimeMs[row] = eventTimeMs
    into.ingestTimeMs[row] = ingestTimeMs
    into.seq[row] = seq
    into.source[row] = source
    into.position[row] = position
    into.length = row + 1
  }

  /** Avro's long: the sign in the lowest bit, then seven bits a byte. 32-bit arithmetic while it fits, then doubles. */
  #long(): number {
    const value = this.#value
    let byte = this.#byte(value)
    let low = byte & 0x7f
    let shift = 7
    for (; byte & 0x80 && shift < 28; shift += 7) {
      byte = this.#byte(value)
      low |= (byte & 0x7f) << shift
    }
    const negative = low & 1
    let magnitude = low >>> 1
    for (let scale = 2 ** 27; byte & 0x80; scale *= 128) {
      if (scale > 2 ** 62) throw undecodable('a number in it has more than ten bytes')
      byte = this.#byte(value)
      magnitude += (byte & 0x7f) * scale
    }
    if (magnitude > Number.MAX_SAFE_INTEGER) throw undecodable('a number in it is beyond 2^53')
    return negative ? -magnitude - 1 : magnitude
  }

  #byte(value: Buffer): number {
    if (this.#at >= value.length) throw undecodable('it ends in the middle of the tick')
    return value[this.#at++]
  }

  #double(): number {
    const start = this.#at
    this.#at += 8
    if (this.#at > this.#value.length) throw undecodable('it ends in the middle of the tick')
    return this.#value.readDoubleLE(start)
  }

  #string(interned: InternedStrings): string {
    const length = this.#long()
    const start = this.#at
    const end = start + length
    if (length < 0 || end > this.#value.length) throw undecodable(`a text in it is ${length} bytes long`)
    this.#at = end
    return interned.read(this.#value, start, end)
  }
}

const SCRATCH_BYTES = 1_024
/** Two texts aside: two doubles and four longs and the lengths of the texts, each at its longest. */
const FIXED_BYTES = FRAME_BYTES + 2 * 8 + 6 * 10

export class TickWriter {
  #scratch = Buffer.allocUnsafe(SCRATCH_BYTES)
  #at = 0
  readonly #schemaId: number

  constructor(schemaId: number) {
    this.#schemaId = schemaId
  }

  write(tick: Tick): Buffer {
    const { symbol, source } = tick
    const bytesMax = FIXED_BYTES + 3 * (symbol.length + source.length)
    if (bytesMax > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(bytesMax)
    writeFrame(this.#scratch, this.#schemaId)
    this.#at = FRAME_BYTES
    this.#string(symbol)
    this.#at = this.#scratch.writeDoubleLE(tick.price, this.#at)
    this.#at = this.#scratch.writeDoubleLE(tick.size, this.#at)
    this.#long(tick.eventTimeMs)
    this.#long(tick.ingestTimeMs)
    this.#long(tick.seq)
    this.#string(source)
    this.#long(tick.position)
    return Buffer.copyBytesFrom(this.#scratch, 0, this.#at)
  }

  #long(value: number): void {
    const negative = value < 0
    const magnitude = negative ? -value - 1 : value
    const scratch = this.#scratch
    let byte = (magnitude % 64) * 2 + (negative ? 1 : 0)
    for (let rest = Math.floor(magnitude / 64); rest > 0; rest = Math.floor(rest / 128)) {
      scratch[this.#at++] = byte | 0x80
      byte = rest % 128
    }
    scratch[this.#at++] = byte
  }

  #string(text: string): void {
    this.#long(Buffer.byteLength(text))
    this.#at += this.#scratch.write(text, this.#at)
  }
}
