const UTF_16 = /^utf-16/

/** A document's text, and the bytes that its elements were sent in. */
export class XmlBytes {
  readonly text: string
  readonly #body: Buffer
  readonly #decoder: TextDecoder
  /** What a part of it needs before it to be read as the whole was. */
  readonly #prolog: Buffer
  #bytePlaces: ReadonlyMap<number, number> | undefined

  /** By the byte order mark, else by its own declaration, else UTF-8. @throws RangeError where nobody knows the encoding. */
  constructor(body: Buffer) {
    const declared = /^\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']/.exec(
      body.toString('latin1', 0, 300),
    )?.[1]
    const byMark =
      body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : body[0] === 0xfe && body[1] === 0xff ? 'utf-16be' : undefined
    const hasUtf8Mark = body[0] === 0xef && body[1] === 0xbb
    this.#body = body
    this.#decoder = new TextDecoder(byMark ?? (hasUtf8Mark ? 'utf-8' : (declared ?? 'utf-8')))
    this.text = this.#decoder.decode(body)
    const { encoding } = this.#decoder
    if (byMark !== undefined) this.#prolog = body.subarray(0, 2)
    else this.#prolog = Buffer.from(encoding === 'utf-8' ? '' : `<?xml version="1.0" encoding="${encoding}"?>`)
  }

  /** A document of this element alone, in the bytes that were sent. */
  alone({ source, start }: { readonly source: string; readonly start: number }): Buffer {
    const [from, to] = this.#spanOf(start, start + source.length)
    const bytes = this.#body.subarray(from, to)
    // In an encoding in which a bracket may be half of something else, its text is the next best.
    return this.#decoder.decode(bytes) === source ? Buffer.concat([this.#prolog, bytes]) : Buffer.from(source)
  }

  #spanOf(start: number, end: number): readonly [from: number, to: number] {
    if (UTF_16.test(this.#decoder.encoding)) return [2 + 2 * start, 2 + 2 * end]
    this.#bytePlaces ??= new Map([...bracketsOf('<', this.text, this.#body), ...bracketsOf('>', this.text, this.#body)])
    return [this.#bytePlaces.get(start) ?? 0, (this.#bytePlaces.get(end - 1) ?? 0) + 1]
  }
}

/** Bytes that are no text become more or fewer characters; a bracket stays what it is, and in its order. */
function bracketsOf(bracket: '<' | '>', text: string, bytes: Buffer): (readonly [inText: number, inBytes: number])[] {
  const places: [number, number][] = []
  let inBytes = bytes.indexOf(bracket)
  for (let inText = text.indexOf(bracket); inText >= 0; inText = text.indexOf(bracket, inText + 1)) {
    places.push([inText, inBytes])
    inBytes = bytes.indexOf(bracket, inBytes + 1)
  }
  return places
}
