import { readFileSync } from 'node:fs'
import { DateTime } from 'luxon'
import { parseLatestFilings } from '../../../ingest/sources/sec-edgar/parse.ts'
import { secEdgar } from '../../../ingest/sources/sec-edgar/sec-edgar.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'

const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-11-20T15:00:00Z')
/** What was filed before anybody read. */
const FIRST_MS = START_MS - 30 * MINUTE_MS
/** The most that one answer lists. */
const LISTED_MAX = 100
const COMPANIES = readFileSync(
  new URL('../../../ingest/sources/sec-edgar/payloads/company_tickers.json', import.meta.url),
)

interface Party {
  readonly name: string
  readonly cik: string
  readonly role: 'Filer' | 'Issuer' | 'Reporting'
}

const APPLE: Party = { name: 'Apple Inc.', cik: '0000320193', role: 'Filer' }
const SOCIETE: Party = { name: 'Société &amp; Cie /FI/', cik: '0001999999', role: 'Filer' }
const BERKSHIRE: Party = { name: 'BERKSHIRE HATHAWAY INC', cik: '0001067983', role: 'Issuer' }
const ROE: Party = { name: 'Roe Jane', cik: '0001888888', role: 'Reporting' }

/** Who files what, and how often. */
const FILED: readonly { readonly form: string; readonly everyMinutes: number; readonly parties: readonly Party[] }[] = [
  { form: '8-K', everyMinutes: 3, parties: [APPLE] },
  { form: '8-K/A', everyMinutes: 11, parties: [SOCIETE] },
  // Not asked for, and listed all the same where forms that begin alike are.
  { form: '8-K12B', everyMinutes: 13, parties: [SOCIETE] },
  { form: '10-Q', everyMinutes: 7, parties: [SOCIETE] },
  { form: '4', everyMinutes: 5, parties: [ROE, BERKSHIRE] },
]

const inNewYork = (ms: number) => DateTime.fromMillis(ms, { zone: 'America/New_York' })

/** An entry of each party, the newest first. */
function entriesOf(prefix: string, nowMs: number): readonly string[] {
  const filings: { readonly ms: number; readonly entries: readonly string[] }[] = []
  for (const [kind, { form, everyMinutes, parties }] of FILED.entries()) {
    if (!form.startsWith(prefix)) continue
    for (let ms = FIRST_MS; ms <= nowMs; ms += everyMinutes * MINUTE_MS) {
      const number = `${(parties[0] ?? APPLE).cik}-26-${String((ms - FIRST_MS) / MINUTE_MS).padStart(5, '0')}${kind}`
      filings.push({ ms, entries: parties.map((party) => entryOf(form, number, party, ms)) })
    }
  }
  return filings
    .toSorted((a, b) => b.ms - a.ms)
    .flatMap(({ entries }) => entries)
    .slice(0, LISTED_MAX)
}

const entryOf = (form: string, number: string, { name, cik, role }: Party, ms: number): string => `<entry>
<title>${form} - ${name} (${cik}) (${role})</title>
<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/${Number(cik)}/${number.replaceAll('-', '')}/${number}-index.htm"/>
<summary type="html">
 &lt;b&gt;Filed:&lt;/b&gt; ${inNewYork(ms).toISODate()} &lt;b&gt;AccNo:&lt;/b&gt; ${number} &lt;b&gt;Size:&lt;/b&gt; 212 KB
&lt;br&gt;Item 2.02: Results of Operations and Financial Condition
</summary>
<updated>${inNewYork(ms).toISO({ suppressMilliseconds: true })}</updated>
<category scheme="https://www.sec.gov/" label="form type" term="${form}"/>
<id>urn:tag:sec.gov,2008:accession-number=${number}</id>
</entry>`

const latest = (form: string, nowMs: number): Buffer =>
  Buffer.from(
    `<?xml version="1.0" encoding="ISO-8859-1" ?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>Latest Filings - ${inNewYork(nowMs).toHTTP()}</title>
<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/>
<id>https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent</id>
<author><name>Webmaster</name><email>webmaster@sec.gov</email></author>
<updated>${inNewYork(nowMs).toISO({ suppressMilliseconds: true })}</updated>
${entriesOf(form, nowMs).join('\n')}
</feed>
`,
    'latin1',
  )

const UNDECLARED =
  '<!DOCTYPE html><html><head><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title></head></html>'

const fake = (clock: Clock): VendorFake => ({
  answer: ({ path, query, headers }) => {
    if (!/\S+@\S+\.\S+/.test(headers['user-agent'] ?? '')) return { status: 403, body: UNDECLARED }
    if (path === '/files/company_tickers.json') return { body: COMPANIES }
    if (path !== '/cgi-bin/browse-edgar' || query.get('action') !== 'getcurrent' || query.get('output') !== 'atom')
      return { status: 404, body: '<html><body>Not found</body></html>' }
    return {
      headers: { 'content-type': 'application/atom+xml' },
      body: latest(query.get('type') ?? '', clock.now()),
    }
  },
  told: (nowMs) =>
    ['8-K', '10-Q', '4'].flatMap((form) =>
      parseLatestFilings(latest(form, nowMs), { receivedAtMs: nowMs, forms: [form], symbolsOf: () => [] }).facts.map(
        nameOf,
      ),
    ),
})

export const secEdgarCase: PolledVendorCase = {
  source: secEdgar,
  variables: { SEC_CONTACT: 'operator@example.com' },
  symbols: [],
  keys: [],
  limits: [{ kind: 'sliding', requests: 10, perMs: 1_000 }],
  startMs: START_MS,
  timesFaster: 200,
  errorBody:
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>ServiceUnavailable</Code><Message>Please try again</Message></Error>',
  fake,
}
