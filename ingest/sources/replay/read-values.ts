import { canonicalSymbol } from '../../../domain/instrument.ts'

const ZERO = 48
const NINE = 57
const DOT = 46
const COLON = 58
const Z = 90

/** Up to here every whole number and every power of ten is exact in a double, so one division rounds correctly. */
const EXACT_DIGITS_MAX = 15
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, digits) => 10 ** digits)
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** NaN where the bytes are not a decimal number. The same value as `Number(text)`, without making the text. */
export function readNumber(buffer: Buffer, start: number, end: number): number {
  let digits = 0
  let value = 0
  let dot = -1
  for (let at = start; at < end; at++) {
    const byte = buffer[at]
    if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO)
      digits++
    } else if (byte === DOT && dot < 0) dot = at
    else return readAnyNumber(buffer, start, end)
  }
  if (digits === 0 || digits > EXACT_DIGITS_MAX) return readAnyNumber(buffer, start, end)
  return dot < 0 ? value : value / POWERS_OF_TEN[end - dot - 1]
}

function readAnyNumber(buffer: Buffer, start: number, end: number): number {
  if (end - start > 100) return Number.NaN
  const text = buffer.toString('latin1', start, end)
  return DECIMAL.test(text) ? Number(text) : Number.NaN
}

const ISO_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|[+-]00:?00)$/
const MINUTE_LENGTH = 'yyyy-mm-ddThh:mm:'.length
const SHORTEST = 'yyyy-mm-ddThh:mm:ssZ'.length
const EPOCH_MS_DIGITS_MAX = 15

/**
 * Times of a tape: ISO 8601 in UTC, or whole milliseconds since 1970. Neighbouring rows share their minute, so it is
 * understood once and compared as bytes after that. Digits below the millisecond are dropped.
 */
export class TimeReader {
  readonly #minute = Buffer.alloc(MINUTE_LENGTH)
  #minuteMs = Number.NaN

  /** NaN where the bytes are not such a time. */
  read(buffer: Buffer, start: number, end: number): number {
    const secondsAt = start + MINUTE_LENGTH
    if (end - start >= SHORTEST && buffer[end - 1] === Z && this.#isMinuteOf(buffer, start)) {
      const tens = buffer[secondsAt] - ZERO
      const ones = buffer[secondsAt + 1] - ZERO
      const ms = fractionMs(buffer, secondsAt + 2, end - 1)
      if (tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9 && ms >= 0)
        return this.#minuteMs + (tens * 10 + ones) * 1_000 + ms
    }
    return this.#readAnew(buffer, start, end)
  }

  #isMinuteOf(buffer: Buffer, start: number): boolean {
    // From the end: the minute changes far more often than the century.
    for (let i = MINUTE_LENGTH - 1; i >= 0; i--) if (buffer[start + i] !== this.#minute[i]) return false
    return true
  }

  #readAnew(buffer: Buffer, start: number, end: number): number {
    if (end - start > 40) return Number.NaN
    const text = buffer.toString('latin1', start, end)
    if (/^\d+$/.test(text)) return text.length <= EPOCH_MS_DIGITS_MAX ? Number(text) : Number.NaN
    const parts = ISO_TIME.exec(text)
    if (!parts) return Number.NaN
    const canonical = `${parts[1]}T${parts[2]}.${(parts[3] ?? '').slice(0, 3).padEnd(3, '0')}Z`
    const ms = Date.parse(canonical)
    // Date.parse rolls 30 February over into March.
    if (Number.isNaN(ms) || new Date(ms).toISOString() !== canonical) return Number.NaN
    if (buffer[start + MINUTE_LENGTH - 1] === COLON) {
      buffer.copy(this.#minute, 0, start, start + MINUTE_LENGTH)
      this.#minuteMs = Math.floor(ms / 60_000) * 60_000
    }
    return ms
  }
}

/** Milliseconds of `.fff…` between the two places; 0 where there is nothing, -1 where it is something else. */
function fractionMs(buffer: Buffer, start: number, end: number): number {
  if (start === end) return 0
  if (buffer[start] !== DOT || end - start < 2 || end - start > 10) return -1
  let ms = 0
  let weight = 100
  for (let at = start + 1; at < end; at++) {
    const digit = buffer[at] - ZERO
    if (digit < 0 || digit > 9) return -1
    ms += digit * weight
    weight = weight === 1 ? 0 : weight / 10
  }
  return ms
}

const SYMBOL_SLOTS = 1_024

/** Gives the bytes of a symbol back as the one string made for them, so that a tape does not make a string per row. */
export class SymbolReader {
  readonly #bytes: (Buffer | undefined)[] = new Array(SYMBOL_SLOTS)
  readonly #texts: string[] = new Array(SYMBOL_SLOTS)

  read(buffer: Buffer, start: number, end: number): string {
    let hash = end - start
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + buffer[at]) | 0
    const slot = hash & (SYMBOL_SLOTS - 1)
    const known = this.#bytes[slot]
    if (known !== undefined && sameBytes(known, buffer, start, end)) return this.#texts[slot]
    const text = canonicalSymbol(buffer.toString('utf8', start, Math.min(end, start + 100)))
    // Two symbols of one slot push each other out: slower, never wrong, and the table stays bounded.
    if (end - start <= 20) {
      this.#bytes[slot] = Buffer.from(buffer.subarray(start, end))
      this.#texts[slot] = text
    }
    return text
  }
}

function sameBytes(known: Buffer, buffer: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== buffer[start + i]) return false
  return true
}
