/** The named references that news is written with; any other is left as it stands. */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  shy: '',
  zwnj: '',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  sbquo: '‚',
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  laquo: '«',
  raquo: '»',
  bull: '•',
  middot: '·',
  hellip: '…',
  prime: '′',
  copy: '©',
  reg: '®',
  trade: '™',
  deg: '°',
  plusmn: '±',
  times: '×',
  frac12: '½',
  frac14: '¼',
  frac34: '¾',
  sect: '§',
  para: '¶',
  cent: '¢',
  pound: '£',
  yen: '¥',
  euro: '€',
  szlig: 'ß',
  aring: 'å',
  Aring: 'Å',
  aelig: 'æ',
  AElig: 'Æ',
  oslash: 'ø',
  Oslash: 'Ø',
  ccedil: 'ç',
  Ccedil: 'Ç',
  ntilde: 'ñ',
  Ntilde: 'Ñ',
  agrave: 'à',
  aacute: 'á',
  acirc: 'â',
  atilde: 'ã',
  auml: 'ä',
  Auml: 'Ä',
  egrave: 'è',
  Egrave: 'È',
  eacute: 'é',
  Eacute: 'É',
  ecirc: 'ê',
  euml: 'ë',
  igrave: 'ì',
  iacute: 'í',
  icirc: 'î',
  iuml: 'ï',
  ograve: 'ò',
  oacute: 'ó',
  ocirc: 'ô',
  otilde: 'õ',
  ouml: 'ö',
  Ouml: 'Ö',
  ugrave: 'ù',
  uacute: 'ú',
  ucirc: 'û',
  uuml: 'ü',
  Uuml: 'Ü',
}

/** Tags and entities may make this much more of a text than is read of it. */
const MARKUP_FACTOR_MAX = 20
const COMMENT_OR_TAG = /<!--[^-]*(?:-[^-]+)*-->|<\/?[a-zA-Z!?][^<>]*>/g
/** Tags that may stand in the middle of a word. */
const INLINE = /^<\/?(?:a|b|i|u|em|font|small|span|strong|sub|sup|mark)[\s>/]/i
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));/g
const REPLACEMENT = '\uFFFD'
const windows1252 = new TextDecoder('windows-1252')

/**
 * What a person would read of a text that may be HTML: tags gone, entities decoded once, white space as single spaces, no
 * control characters, at most so many characters. Nothing of it can become markup again where it is shown as text.
 */
export function plainText(html: string, lengthMax: number): string {
  const seen = withoutHidden(html.slice(0, lengthMax * MARKUP_FACTOR_MAX))
  return oneLine(decodeEntities(seen.replace(COMMENT_OR_TAG, (tag) => (INLINE.test(tag) ? '' : ' '))), lengthMax)
}

/** One line of at most so many characters: white space as single spaces, no control characters, well formed. */
export function oneLine(text: string, lengthMax: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}\u200B\uFEFF]+/gu, ' ')
    .trim()
    .toWellFormed()
  if (line.length <= lengthMax) return line
  // Not in the middle of a character that takes two.
  return `${line.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** Each entity once, so that none can stand for another: `&amp;lt;` is the text `&lt;`. */
export const decodeEntities = (text: string): string =>
  text.replace(ENTITY, (entity: string, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? entity) : entity
    return character(decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number.parseInt(decimal, 10))
  })

function character(code: number): string {
  // Numbers that mean nothing in Unicode are written by programs that think in Windows' own table: `&#146;`.
  if (code >= 0x80 && code <= 0x9f) return windows1252.decode(Uint8Array.of(code))
  return code === 0 || code > 0x10_ff_ff ? REPLACEMENT : String.fromCodePoint(code).toWellFormed()
}

/** What is inside of scripts and style sheets is not for people. One that is never closed takes the rest with it. */
function withoutHidden(html: string): string {
  const lower = html.toLowerCase()
  let seen = ''
  let at = 0
  for (const { index, 1: name } of lower.matchAll(/<(script|style|template)[\s>]/g)) {
    if (index < at) continue
    seen += html.slice(at, index)
    const close = lower.indexOf(`</${name}`, index)
    if (close < 0) return seen
    at = close
  }
  return seen + html.slice(at)
}
