/** From the first byte of a value to the one after its last. */
type Span = readonly [start: number, end: number]

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPENS_LIST = 0x5b
const OPENS: ReadonlySet<number> = new Set([0x7b, OPENS_LIST])
const CLOSES: ReadonlySet<number> = new Set([0x7d, 0x5d])
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

type Key = string | number

/** A list or an object that is being walked through, beside what was made of it. */
interface Level {
  readonly value: unknown
  readonly start: number
  /** Where its next value belongs; undefined: a key comes first. */
  key: Key | undefined
}

/**
 * Where in a text of JSON the values stand that were made of it, so that one of them can be written as it was: with all
 * digits, in its order, with whatever was in it that we do not read. For a text that JSON.parse has read; built when somebody
 * asks, which is when something is put aside.
 */
export class JsonSpans {
  readonly #text: Buffer
  readonly #spans = new Map<object, Span>()
  readonly #places = new Map<readonly unknown[], ReadonlyMap<Key, Span>>()

  /** `value`: what JSON.parse has made of the text. */
  constructor(text: Buffer, value: unknown) {
    this.#text = text
    this.#walk(0, value, (holder, key, span) => {
      const inner = valueAt(holder, key)
      if (isObject(inner)) this.#spans.set(inner, span)
    })
    if (isObject(value)) this.#spans.set(value, withoutSpaces(text))
  }

  /**
   * An envelope around one of the items, with the item in it as it stands in the text. The items are values of the text, or
   * the entries of an object of it.
   */
  alone(items: readonly unknown[], index: number, envelope: (item: unknown) => unknown): Buffer {
    const item = items[index]
    const parts: Buffer[] = []
    if (this.#stands(item) || (isEntry(item) && this.#stands(item[1]))) this.#write(envelope(item), parts)
    else this.#write(envelope(this.#standIn(items, index)), parts)
    return Buffer.concat(parts)
  }

  #stands(value: unknown): boolean {
    return isObject(value) && this.#spans.has(value)
  }

  /** Numbers and texts cannot be told apart but by their place among the others: there, an object stands in for them. */
  #standIn(items: readonly unknown[], index: number): unknown {
    const item = items[index]
    const places = this.#places.get(items) ?? this.#placesOf(items)
    this.#places.set(items, places)
    const key = isEntry(item) && places.has(item[0]) ? item[0] : index
    const span = places.get(key)
    if (!span) return item
    const standIn = {}
    this.#spans.set(standIn, span)
    return key === index ? standIn : [key, standIn]
  }

  /** Of the list, or the object, that holds these items or entries. */
  #placesOf(items: readonly unknown[]): ReadonlyMap<Key, Span> {
    const isHolder = (holder: object) =>
      Array.isArray(holder)
        ? items.length === holder.length && items.every((each, i) => each === holder[i])
        : items.every((each) => isEntry(each) && valueAt(holder, each[0]) === each[1])
    const places = new Map<Key, Span>()
    for (const [holder, [start]] of this.#spans) {
      if (!isHolder(holder)) continue
      this.#walk(start, holder, (of, key, span) => {
        if (of === holder) places.set(key, span)
      })
      break
    }
    return places
  }

  #write(value: unknown, parts: Buffer[]): void {
    const span = isObject(value) ? this.#spans.get(value) : undefined
    if (span) parts.push(this.#text.subarray(...span))
    else if (!isObject(value)) parts.push(Buffer.from(JSON.stringify(value) ?? 'null'))
    else {
      const isList = Array.isArray(value)
      parts.push(Buffer.from(isList ? '[' : '{'))
      let isFirst = true
      for (const [key, inner] of Object.entries(value)) {
        if (inner === undefined) continue
        parts.push(Buffer.from(`${isFirst ? '' : ','}${isList ? '' : `${JSON.stringify(key)}:`}`))
        isFirst = false
        this.#write(inner, parts)
      }
      parts.push(Buffer.from(isList ? ']' : '}'))
    }
  }

  /** Tells of every value in the one that begins there. Not by recursion: JSON may be nested more deeply than the stack. */
  #walk(from: number, root: unknown, tell: (holder: unknown, key: Key, span: Span) => void): void {
    const text = this.#text
    const levels: Level[] = []
    const ended = (start: number, end: number) => {
      const level = levels.at(-1)
      if (level?.key === undefined) return
      tell(level.value, level.key, [start, end])
      level.key = typeof level.key === 'number' ? level.key + 1 : undefined
    }
    for (let at = from; at < text.length; ) {
      const byte = text[at] ?? 0
      const level = levels.at(-1)
      if (SPACES.has(byte) || byte === COLON || byte === COMMA) at++
      else if (CLOSES.has(byte)) {
        levels.pop()
        ended(level?.start ?? from, ++at)
        if (levels.length === 0) return
      } else if (level && level.key === undefined) {
        const end = this.#endOf(at)
        level.key = String(JSON.parse(text.toString('utf8', at, end)))
        at = end
      } else if (OPENS.has(byte)) {
        const value = level?.key === undefined ? root : valueAt(level.value, level.key)
        levels.push({ value, start: at++, key: byte === OPENS_LIST ? 0 : undefined })
      } else {
        const end = this.#endOf(at)
        ended(at, end)
        at = end
      }
    }
  }

  /** Of a text, a number or a word. */
  #endOf(start: number): number {
    const text = this.#text
    let at = start + 1
    if (text[start] !== QUOTE) {
      while (at < text.length && !isDelimiter(text[at] ?? 0)) at++
      return at
    }
    while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
    return at + 1
  }
}

function withoutSpaces(text: Buffer): Span {
  const isSpace = (byte: number) => SPACES.has(byte)
  let end = text.length
  while (end > 0 && isSpace(text[end - 1] ?? 0)) end--
  return [text.findIndex((byte) => !isSpace(byte)), end]
}

const isDelimiter = (byte: number) => byte === COMMA || CLOSES.has(byte) || SPACES.has(byte)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const valueAt = (holder: unknown, key: Key): unknown => (isObject(holder) ? Reflect.get(holder, key) : undefined)
const isEntry = (value: unknown): value is readonly [string, unknown] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string'
