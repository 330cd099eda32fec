import { PlatformError } from './errors.ts'
import { isSymbol } from './instrument.ts'
import { LICENCES, type Licence } from './vendors.ts'

/** A fact from further ahead than this is not believed. */
const AHEAD_MAX_MS = 400 * 86_400_000
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

/** The rules that several facts share. Each throws INVALID_EVENT with the fact, the field, what was expected and what was there. */
export class FactCheck {
  readonly #fact: string

  constructor(fact: string) {
    this.#fact = fact
  }

  fail(expected: string, was: unknown): never {
    const shown = typeof was === 'string' ? JSON.stringify(was.slice(0, 50)) : String(was)
    throw new PlatformError('INVALID_EVENT', `${this.#fact} ${expected}, was ${shown}`)
  }

  symbol(symbol: string): void {
    if (!isSymbol(symbol)) this.fail('symbol must be 1 to 20 of A-Z 0-9 . - / = ^', symbol)
  }

  /** Not empty, no control characters but tab and line feed, at most so long. */
  text(field: string, text: string, lengthMax: number): void {
    if (text === '') this.fail(`${field} must not be empty`, text)
    this.optionalText(field, text, lengthMax)
  }

  optionalText(field: string, text: string, lengthMax: number): void {
    if (typeof text !== 'string' || text.length > lengthMax || /[^\P{Cc}\t\n]/u.test(text))
      this.fail(`${field} must be text of at most ${lengthMax} characters without control characters`, text)
  }

  httpUrl(field: string, url: string): void {
    if (url.length > 2_048 || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      this.fail(`${field} must be an http or https address of at most 2048 characters`, url)
  }

  /** Whole milliseconds since 1970 UTC. */
  time(field: string, timeMs: number): void {
    if (!(Number.isSafeInteger(timeMs) && timeMs >= 0))
      this.fail(`${field} must be whole milliseconds since 1970`, timeMs)
  }

  /** Event and publication times, seen from when we first saw the fact. */
  notAhead(field: string, timeMs: number, ingestTimeMs: number, aheadMaxMs: number = AHEAD_MAX_MS): void {
    this.time(field, timeMs)
    this.time('ingest time', ingestTimeMs)
    if (timeMs > ingestTimeMs + aheadMaxMs)
      this.fail(`${field} must not be more than ${aheadMaxMs} ms after ingest time ${ingestTimeMs}`, timeMs)
  }

  /** `2026-11-20`, and a day that exists. */
  date(field: string, date: string): void {
    if (!DATE.test(date) || new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) !== date)
      this.fail(`${field} must be a date like 2026-11-20`, date)
  }

  number(field: string, value: number, min: number, max: number): void {
    if (!(Number.isFinite(value) && value >= min && value <= max))
      this.fail(`${field} must be a number from ${min} to ${max}`, value)
  }

  licence(licence: Licence): void {
    if (!LICENCES.includes(licence)) this.fail(`licence must be one of ${LICENCES.join(', ')}`, licence)
  }

  listSize(field: string, list: readonly unknown[], max: number): void {
    if (list.length > max) this.fail(`${field} must hold at most ${max}`, list.length)
  }
}
