import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startPlatform } from '../support/platform-process.ts'

const RATES = readFileSync(new URL('../../ingest/sources/frankfurter/payloads/rates.json', import.meta.url))

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(url: string, query: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  return ((await response.json()) as { data: unknown }).data
}

test('--live: what a vendor tells can be queried, with its source and licence', { timeout: 90_000 }, async () => {
  const vendor = await listening(
    createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(RATES)),
  )
  await using platform = await startPlatform(['--live', '--sources', 'frankfurter'], {
    FRANKFURTER_URL: vendor,
    SYMBOLS: 'EUR-USD',
  })
  await platform.ready()
  const query = `{
    series(id: "ECB.EURUSD") { unit licence observations { edges { node { date value } } } }
    instrument(symbol: "EUR-USD") { quote { price } freshness { source delayed nextUpdateAt } }
  }`
  await expect
    .poll(() => ask(platform.url, query), { timeout: 30_000, interval: 200 })
    .toEqual({
      series: {
        unit: 'USD per EUR',
        licence: 'REDISTRIBUTABLE',
        observations: {
          edges: [{ node: { date: '2026-11-19', value: 1.1543 } }, { node: { date: '2026-11-20', value: 1.1575 } }],
        },
      },
      instrument: {
        quote: { price: 1.1575 },
        freshness: { source: 'frankfurter', delayed: true, nextUpdateAt: expect.stringMatching(/^20\d\d-/) },
      },
    })
})

test('--live without a network: says what cannot be reached, is ready and goes on', { timeout: 120_000 }, async () => {
  // Nobody listens there.
  const closed = createServer()
  const url = await listening(closed)
  await new Promise((resolve) => closed.close(resolve))
  await using platform = await startPlatform(['--live', '--sources', 'frankfurter'], {
    FRANKFURTER_URL: url,
    SOURCE_SILENT_AFTER_MS: '1000',
  })
  await platform.ready()
  const ready = async () => {
    const response = await fetch(platform.url.replace('/graphql', '/ready'))
    return { status: response.status, ...((await response.json()) as object) }
  }
  await expect.poll(ready, { timeout: 30_000, interval: 200 }).toMatchObject({
    status: 'ready',
    details: {
      sources: [
        {
          source: 'frankfurter',
          state: 'troubled',
          reason: expect.stringContaining('Frankfurter could not be reached'),
        },
      ],
    },
  })
  const silences = () =>
    ask(platform.url, '{ dataQuality(sources: ["frankfurter"]) { edges { node { kind symbol detail } } } }')
  const detail = expect.stringMatching(
    /^frankfurter has been in trouble for more than 1 s: Frankfurter could not be reached/,
  )
  await expect
    .poll(silences, { timeout: 30_000, interval: 200 })
    .toEqual({ dataQuality: { edges: [{ node: { kind: 'SILENT_SOURCE', symbol: null, detail } }] } })
})
