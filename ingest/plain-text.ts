const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  hellip: '…',
  bull: '•',
  copy: '©',
  reg: '®',
  trade: '™',
  euro: '€',
  pound: '£',
}
/** Tags and entities may make this much more of a text than is read of it. */
const MARKUP_FACTOR_MAX = 20

/**
 * What a person would read of a text that may be HTML: tags gone, entities decoded once, white space as single spaces, no
 * control characters, at most so many characters. Nothing of it can become markup again where it is shown as text.
 */
export function plainText(html: string, lengthMax: number): string {
  const text = html
    .slice(0, lengthMax * MARKUP_FACTOR_MAX)
    .replace(/<!--[^-]*(?:-[^-]+)*-->|<\/?[a-zA-Z!?][^<>]*>/g, ' ')
    .replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, decoded)
    .replace(/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .toWellFormed()
  if (text.length <= lengthMax) return text
  // Not in the middle of a character that takes two.
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

function decoded(entity: string, decimal?: string, hexadecimal?: string, name?: string): string {
  if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? entity) : entity
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number.parseInt(decimal, 10)
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : entity
}
