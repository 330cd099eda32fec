import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Instrument } from '../../../domain/instrument.ts'
import { systemClock } from '../../../platform/clock.ts'
import { silentLog } from '../../../platform/log.ts'
import { openMetrics } from '../../../platform/metrics.ts'
import { withOtherTypes } from '../../../tests/support/vendors/faults.ts'
import { MemoryQuotas } from '../../../tests/support/vendors/memory-quotas.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import { VendorServer } from '../../../tests/support/vendors/vendor-server.ts'
import type { SourceContext } from '../../catalogue.ts'
import type { Source } from '../../source.ts'
import { EdgarClient } from './client.ts'
import { edgarFeeds } from './feeds.ts'
import { secEdgar } from './sec-edgar.ts'

const current = readFileSync(new URL('payloads/current.xml', import.meta.url))
const tickers = readFileSync(new URL('payloads/company_tickers.json', import.meta.url))
const CONTACT = 'ops@example.com'

/** EDGAR as it is: nobody is answered who does not say whom to write to. */
const startEdgar = () =>
  VendorServer.start({
    answer: ({ path, headers }) => {
      if (!headers['user-agent']?.includes(CONTACT))
        return { status: 403, body: '<html>Undeclared Automated Tool</html>' }
      return { body: path === '/files/company_tickers.json' ? tickers : current }
    },
  })

function open(url: string, contact: string) {
  const quotas = new MemoryQuotas()
  const described: Instrument[] = []
  const troubles: string[] = []
  const context: SourceContext = {
    settings: {
      variables: { SEC_CONTACT: contact, SEC_FORMS: '8-k, 4' },
      symbols: [],
      urls: { 'sec-edgar': { http: url } },
    },
    clock: systemClock,
    log: silentLog,
    metrics: openMetrics(),
    quotas,
    interest: { current: () => new Map() },
    tellsUsTrades: false,
    describe: async (instruments) => void described.push(...instruments),
    tellPlan: () => {},
    tellTrouble: (_source, trouble) => void (trouble && troubles.push(trouble)),
    tellLack: () => {},
  }
  return { source: secEdgar.open(context), described, troubles, quotas }
}

async function factsOf(source: Source, count: number) {
  const stop = new AbortController()
  const facts = []
  for await (const batch of source.read(undefined, stop.signal)) {
    facts.push(...(batch.facts ?? []))
    if (facts.length >= count) break
  }
  stop.abort()
  return facts.map(({ event }) => event)
}

test('filings come with the symbols of their company, and the companies are described', async () => {
  await using edgar = await startEdgar()
  const { source, described } = open(edgar.url, CONTACT)
  const filings = await factsOf(source, 3)
  expect(filings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: 'sec-edgar:0000320193-26-000101', symbols: ['AAPL'] }),
      expect.objectContaining({ id: 'sec-edgar:0001888888-26-000003', symbols: ['BRK.B', 'BRK.A'] }),
    ]),
  )
  expect(described).toContainEqual(expect.objectContaining({ symbol: 'AAPL', name: 'Apple Inc.', cik: '0000320193' }))
  expect(edgar.arrivals.filter(({ path }) => path === '/files/company_tickers.json')).toHaveLength(1)
})

test('a list of companies of which nothing can be read is asked for again, and no filing told without its symbols', async () => {
  const lists = [Buffer.from(withOtherTypes(tickers.toString())), tickers]
  const http = toldHttp(
    ({ path }) => (path === '/files/company_tickers.json' ? (lists.shift() ?? tickers) : current),
    Date.now,
  )
  const client = new EdgarClient(http)
  const [feed] = edgarFeeds({ client, forms: ['8-K'], describe: async () => {}, now: Date.now })
  const { signal } = new AbortController()
  await expect(feed.ask(undefined, signal)).rejects.toMatchObject({
    code: 'VENDOR_ANSWER',
    message: expect.stringContaining('companies[0]'),
    original: Buffer.from(withOtherTypes(tickers.toString())),
  })
  const { facts } = await feed.ask(undefined, signal)
  expect(facts).toContainEqual({ topic: 'news-data', event: expect.objectContaining({ symbols: ['AAPL'] }) })
})

test('who is refused with 403 says why and asks no more for ten minutes', async () => {
  await using edgar = await startEdgar()
  const { source, troubles, quotas } = open(edgar.url, 'somebody@example.org')
  const stop = new AbortController()
  const reading = source.read(undefined, stop.signal)[Symbol.asyncIterator]().next()
  await expect.poll(() => troubles.join()).toContain('does not take SEC_CONTACT')
  stop.abort()
  await reading
  const spent = await quotas.load('sec-edgar')
  expect(spent?.pausedUntilMs).toBeGreaterThan(Date.now() + 590_000)
  // Both forms may have been on their way.
  expect(edgar.arrivals.length).toBeLessThanOrEqual(2)
})
