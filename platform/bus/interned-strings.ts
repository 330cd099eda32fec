/**
 * The strings of a stream: few different ones, over and over, so they are found again by their bytes instead of being
 * decoded into new strings. Bounded: two strings that fall on the same slot push each other out.
 */
export class InternedStrings {
  readonly #slots: ({ readonly bytes: Buffer; readonly text: string } | undefined)[]
  readonly #check: (text: string) => void

  /** `check` throws where the text may not be taken; it is asked once per text, not once per record. */
  constructor(check: (text: string) => void, slots = 16_384) {
    this.#slots = new Array(slots).fill(undefined)
    this.#check = check
  }

  read(from: Buffer, start: number, end: number): string {
    let hash = 0x811c9dc5
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ from[i], 0x01000193)
    const at = (hash >>> 0) % this.#slots.length
    const slot = this.#slots[at]
    if (slot !== undefined && same(slot.bytes, from, start, end)) return slot.text
    const bytes = Buffer.copyBytesFrom(from, start, end - start)
    const text = bytes.toString()
    this.#check(text)
    this.#slots[at] = { bytes, text }
    return text
  }
}

function same(bytes: Buffer, other: Buffer, start: number, end: number): boolean {
  const { length } = bytes
  if (length !== end - start) return false
  for (let i = 0; i < length; i++) if (bytes[i] !== other[start + i]) return false
  return true
}
