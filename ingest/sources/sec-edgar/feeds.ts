import { type Instrument, undescribed } from '../../../domain/instrument.ts'
import type { Feed } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import { VendorError } from '../../vendor-error.ts'
import type { EdgarClient } from './client.ts'
import { type CompanyTicker, readCompanyTickers } from './company-tickers.ts'
import { parseLatestFilings } from './parse.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS

export interface FeedContext {
  readonly client: EdgarClient
  readonly forms: readonly string[]
  readonly describe: (instruments: readonly Instrument[]) => Promise<void>
  readonly now: () => number
}

/** Each form once a minute, and the list of companies, which gives filings their symbols, once a day. */
export function edgarFeeds(context: FeedContext): readonly Feed[] {
  const companies = new Companies(context)
  return context.forms.map((form) => filingsFeed(form, companies, context))
}

function filingsFeed(form: string, companies: Companies, { client, now }: FeedContext): Feed {
  const read = (body: Buffer, receivedAtMs: number) =>
    parseLatestFilings(body, { receivedAtMs, forms: [form], symbolsOf: (cik) => companies.symbolsOf(cik) })
  return {
    name: `filings ${form}`,
    topic: 'news-data',
    // One for the filings, one for the companies where they are a day old.
    cost: 2,
    dueMs: every(MINUTE_MS),
    ask: async (_cursor, signal) => {
      const listed = await companies.refresh(signal)
      const filings = await client.latest(form, ({ body, receivedAtMs }) => read(body, receivedAtMs), signal)
      return { facts: filings.facts, rejects: [...listed, ...filings.rejects] }
    },
    // What is wrong may have been a company or a filing: XML begins with a bracket.
    reparse: (original) =>
      isXml(original) ? read(original, now()) : { facts: [], rejects: readCompanyTickers(original).rejects },
  }
}

const isXml = (body: Buffer) => body.toString('latin1', 0, 100).trimStart().startsWith('<')

/** Who is behind a Central Index Key. Without it filings have no symbols, so it is asked for before the first of them. */
class Companies {
  readonly #context: FeedContext
  #symbols: ReadonlyMap<string, readonly string[]> = new Map()
  #readMs: number | undefined
  #reading: Promise<ReturnType<typeof readCompanyTickers>['rejects']> | undefined

  constructor(context: FeedContext) {
    this.#context = context
  }

  symbolsOf(cik: string): readonly string[] {
    return this.#symbols.get(cik) ?? []
  }

  /** Reads the list where it is a day old; what was wrong with it goes to whoever asked. */
  async refresh(signal: AbortSignal): Promise<ReturnType<typeof readCompanyTickers>['rejects']> {
    if (this.#readMs !== undefined && this.#context.now() - this.#readMs < DAY_MS) return []
    if (this.#reading) {
      await this.#reading
      return []
    }
    this.#reading = this.#read(signal)
    try {
      return await this.#reading
    } finally {
      this.#reading = undefined
    }
  }

  async #read(signal: AbortSignal) {
    const { client, describe, now } = this.#context
    const { facts, rejects } = await client.companyTickers(({ body }) => companiesIn(body), signal)
    const bySize = facts.toSorted((a, b) => a.rank - b.rank)
    this.#symbols = new Map(
      [...Map.groupBy(bySize, ({ cik }) => cik)].map(([cik, shares]) => [cik, shares.map(({ symbol }) => symbol)]),
    )
    this.#readMs = now()
    await describe(bySize.map(instrumentOf))
    return rejects
  }
}

/** A list of nobody would leave a day's filings without their symbols. @throws VendorError */
function companiesIn(body: Buffer): ReturnType<typeof readCompanyTickers> {
  const read = readCompanyTickers(body)
  if (read.facts.length > 0) return read
  const why = read.rejects[0]?.reason ?? 'it is empty'
  throw new VendorError('VENDOR_ANSWER', `SEC EDGAR: no company of its list can be read: ${why}`, { original: body })
}

/** Of funds there are some in the list as well, so what it is stays open. */
const instrumentOf = ({ symbol, name, cik }: CompanyTicker): Instrument => ({ ...undescribed(symbol), name, cik })
