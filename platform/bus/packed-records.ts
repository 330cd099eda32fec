import type { BusRecord } from './bus.ts'

const NONE = 0xffffffff

/**
 * Records as bytes, up to a number and a size. As objects they would live just long enough to be copied by each collection of
 * garbage in between (docs/decisions/0021-garbage-that-stays-young.md).
 */
export class PackedRecords {
  readonly #bytes: Buffer
  readonly #offsets: Float64Array
  /** Where each begins, and how long its key, its value and its headers are, one after the other. */
  readonly #starts: Uint32Array
  readonly #keys: Uint32Array
  readonly #values: Uint32Array
  readonly #headers: Uint32Array
  #count = 0
  #end = 0

  constructor(recordsMax: number, bytesMax: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytesMax)
    this.#offsets = new Float64Array(recordsMax)
    this.#starts = new Uint32Array(recordsMax)
    this.#keys = new Uint32Array(recordsMax)
    this.#values = new Uint32Array(recordsMax)
    this.#headers = new Uint32Array(recordsMax)
  }

  clear(): void {
    this.#count = 0
    this.#end = 0
  }

  /** False where there is no room for it. */
  add({ offset, key, value, headers }: BusRecord): boolean {
    const row = this.#count
    const texts = Object.keys(headers).length > 0 ? JSON.stringify(headers) : null
    const keyBytes = byteLength(key)
    const headerBytes = byteLength(texts)
    const valueBytes = value?.length ?? 0
    if (row === this.#offsets.length || this.#end + keyBytes + valueBytes + headerBytes > this.#bytes.length)
      return false
    this.#offsets[row] = offset
    this.#starts[row] = this.#end
    this.#keys[row] = key === null ? NONE : keyBytes
    this.#values[row] = value === null ? NONE : valueBytes
    this.#headers[row] = texts === null ? NONE : headerBytes
    if (key !== null) this.#bytes.write(key, this.#end)
    value?.copy(this.#bytes, this.#end + keyBytes)
    if (texts !== null) this.#bytes.write(texts, this.#end + keyBytes + valueBytes)
    this.#end += keyBytes + valueBytes + headerBytes
    this.#count++
    return true
  }

  /** Adds those from `offset` on to `into`. Their bytes are a copy: ours are written over. */
  read(offset: number, into: BusRecord[]): void {
    let from = this.#count
    while (from > 0 && this.#offsets[from - 1] >= offset) from--
    if (from === this.#count) return
    const base = this.#starts[from]
    const bytes = Buffer.from(this.#bytes.subarray(base, this.#end))
    for (let row = from; row < this.#count; row++) {
      const key = this.#starts[row] - base
      const value = key + lengthOf(this.#keys[row])
      const headers = value + lengthOf(this.#values[row])
      into.push(
        new UnpackedRecord(
          this.#offsets[row],
          part(bytes, key, this.#keys[row]),
          part(bytes, value, this.#values[row]),
          part(bytes, headers, this.#headers[row]),
        ),
      )
    }
  }
}

class UnpackedRecord implements BusRecord {
  readonly offset: number
  readonly value: Buffer | null
  readonly #key: Buffer | null
  readonly #headers: Buffer | null

  constructor(offset: number, key: Buffer | null, value: Buffer | null, headers: Buffer | null) {
    this.offset = offset
    this.value = value
    this.#key = key
    this.#headers = headers
  }

  get key(): string | null {
    return this.#key?.toString() ?? null
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers ? JSON.parse(this.#headers.toString()) : {}
  }
}

const byteLength = (text: string | null): number => (text === null ? 0 : Buffer.byteLength(text))
const lengthOf = (stored: number): number => (stored === NONE ? 0 : stored)
const part = (bytes: Buffer, start: number, length: number): Buffer | null =>
  length === NONE ? null : bytes.subarray(start, start + length)
