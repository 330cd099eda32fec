import fc from 'fast-check'

const STRANGE: readonly unknown[] = [
  null,
  '',
  ' ',
  '.',
  '-',
  'None',
  'NaN',
  '1e400',
  '-1',
  '\u0000',
  '\uD800',
  '9'.repeat(400),
  '__proto__',
  '9999-99-99',
  'https://',
  0,
  -1,
  1e308,
  2 ** 53,
  true,
  [],
  {},
  [null],
  { __proto__: null },
]

/** Bytes that a vendor, a proxy or a cable could make of an answer: values swapped, keys gone or renamed, cut, flipped. */
export function mangled(payload: Buffer): fc.Arbitrary<Buffer> {
  const text = payload.toString('utf8')
  const bytes = fc
    .array(fc.tuple(fc.nat({ max: payload.length }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 })
    .map((flips) => {
      const copy = Buffer.from(payload)
      for (const [at, byte] of flips) if (at < copy.length) copy[at] = byte
      return copy
    })
  const cut = fc.nat({ max: payload.length }).map((length) => payload.subarray(0, length))
  const noise = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
  const words = fc
    .tuple(
      fc.nat({ max: text.length }),
      fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '<', '9', '-', '\uFEFF'),
    )
    .map(([at, word]) => Buffer.from(text.slice(0, at) + word + text.slice(at)))
  return isJson(text)
    ? fc.oneof(bytes, cut, noise, words, mangledJson(JSON.parse(text)))
    : fc.oneof(bytes, cut, noise, words, mangledFields(text))
}

const STRANGE_TEXTS: readonly string[] = [
  ...STRANGE.filter((value) => typeof value === 'string'),
  '1e308',
  '-0',
  '0x10',
  '2026-02-30',
  '2999-12-31T00:00:00Z',
  '0000-01-01',
  '-271822-04-20T00:00:00Z',
  'Thu, 32 Foo 2026 99:99:99 XYZ',
  '99/99/9999',
  'javascript:alert(1)',
  'constructor',
  '&#0;',
  '&nothing;',
  '<x/>',
  '<x>1</x>',
  '<![CDATA[<b>1</b>]]>',
]

/** Still XML, or a table, with strange texts in place of some of its own, and parts that are gone or there twice. */
function mangledFields(text: string): fc.Arbitrary<Buffer> {
  const isXml = text.trimStart().startsWith('<')
  const fields = isXml ? /(?<=>)[^<>]+(?=<)|(?<==")[^"<>]*(?=")/g : /[^,\n]+/g
  const parts = isXml ? /<([\w:-]+)(?:\s[^<>]*)?>[^<>]*<\/\1>|<[\w:-]+(?:\s[^<>]*)?\/>/g : /\n[^\n]*/g
  const edit = fc.record({
    at: fc.nat(),
    other: fc.oneof(fc.constantFrom(...STRANGE_TEXTS), fc.string({ maxLength: 20 })),
    how: fc.constantFrom('replace', 'replace', 'replace', 'delete', 'twice'),
  })
  return fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    const whole = edits.reduce((now, { at, other, how }) => {
      const places = [...now.matchAll(how === 'replace' ? fields : parts)]
      const place = places[at % places.length]
      if (place === undefined) return now
      const into = how === 'replace' ? other : how === 'twice' ? place[0].repeat(2) : ''
      return now.slice(0, place.index) + into + now.slice(place.index + place[0].length)
    }, text)
    return Buffer.from(whole)
  })
}

/** Still JSON, with strange values in place of some of its own: what gets furthest into a parser. */
export function mangledJson(value: unknown): fc.Arbitrary<Buffer> {
  const strange = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STRANGE) },
    { weight: 1, arbitrary: fc.jsonValue() },
  )
  return fc
    .array(fc.tuple(fc.nat(), strange, fc.constantFrom('replace', 'replace', 'delete', 'rename')), {
      minLength: 1,
      maxLength: 6,
    })
    .map((edits) => {
      const copy: { whole: unknown } = { whole: structuredClone(value) }
      // The strange values are shared by all runs, and a later edit may land in one.
      for (const [at, other, how] of edits) edit(copy, at, structuredClone(other), how)
      return Buffer.from(JSON.stringify(copy.whole) ?? 'null')
    })
}

function edit(root: object, at: number, other: unknown, how: string): void {
  const places = placesOf(root)
  const [holder, key] = places[at % places.length] ?? [root, 'whole']
  const value = Reflect.get(holder, key)
  if (how !== 'replace' && holder !== root) Reflect.deleteProperty(holder, key)
  if (how === 'replace') Reflect.set(holder, key, other)
  if (how === 'rename' && holder !== root) Reflect.set(holder, `${key}_`, value)
}

/** Every value in it, by who holds it and under which key. */
function placesOf(holder: object): [holder: object, key: string][] {
  const places: [object, string][] = []
  for (const [key, value] of Object.entries(holder)) {
    places.push([holder, key])
    if (typeof value === 'object' && value !== null) places.push(...placesOf(value))
  }
  return places
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
