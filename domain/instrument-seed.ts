import { PlatformError } from './errors.ts'
import { type AssetClass, type Instrument, isSymbol } from './instrument.ts'

const HEADER = 'symbol,name,exchange,currency,class,cik,aliases'
const CLASSES: readonly AssetClass[] = ['EQUITY', 'ETF', 'CRYPTO', 'FX']
/** A field, quoted where it holds commas, and what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy

/** Reads the list of instruments that comes with us: `prisma/seed/instruments.csv`. @throws INVALID_CONFIG with the line */
export function readInstrumentSeed(csv: string): readonly Instrument[] {
  const [header, ...lines] = csv.split('\n')
  if (header !== HEADER) throw wrong(1, `the columns must be ${HEADER}, were ${header}`)
  const instruments = lines.flatMap((line, index) => (line === '' ? [] : [readLine(line, index + 2)]))
  for (const [index, { symbol }] of instruments.entries())
    if (index > 0 && symbol <= instruments[index - 1].symbol)
      throw wrong(index + 2, `${symbol} must come in order of symbols, and once`)
  return Object.freeze(instruments)
}

function readLine(line: string, number: number): Instrument {
  const fields = fieldsOf(line)
  const [symbol, name, exchange, currency, assetClass, cik, aliases] = fields
  const isAssetClass = (text: string): text is AssetClass => CLASSES.some((known) => known === text)
  if (fields.length !== 7) throw wrong(number, `there must be 7 fields, were ${fields.length}`)
  if (!isSymbol(symbol)) throw wrong(number, `${symbol} is no symbol`)
  if (name.trim() === '') throw wrong(number, `${symbol} must have a name`)
  if (!/^([A-Z0-9]{4})?$/.test(exchange)) throw wrong(number, `the exchange must be a MIC or empty, was ${exchange}`)
  if (!/^[A-Z]{3,5}$/.test(currency)) throw wrong(number, `the currency must be a code, was ${currency}`)
  if (!isAssetClass(assetClass))
    throw wrong(number, `the class must be one of ${CLASSES.join(', ')}, was ${assetClass}`)
  if (!/^(\d{10})?$/.test(cik)) throw wrong(number, `the CIK must be ten digits or empty, was ${cik}`)
  return Object.freeze({
    symbol,
    name,
    exchange,
    currency,
    assetClass,
    aliases: Object.freeze(aliases.split('|').filter(Boolean)),
    cik: cik || null,
  })
}

function fieldsOf(line: string): string[] {
  const fields: string[] = []
  for (const [, quoted, bare, end] of line.matchAll(FIELD)) {
    fields.push(quoted?.replaceAll('""', '"') ?? bare)
    if (end === '') break
  }
  return fields
}

const wrong = (line: number, what: string) =>
  new PlatformError('INVALID_CONFIG', `The seed of instruments, line ${line}: ${what}`)
