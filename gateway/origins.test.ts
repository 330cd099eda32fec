import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { couldBeForged, originAllowed } from './origins.ts'

const request = (method: string, headers: Record<string, string>) => ({ method, headers }) as unknown as IncomingMessage
const from = (headers: Record<string, string>) => originAllowed(['https://app.example.com'])(request('GET', headers))

test.each<[headers: Record<string, string>, allowed: boolean, who: string]>([
  [{}, true, 'no browser'],
  [{ origin: 'http://here:4000', host: 'here:4000' }, true, 'our own page'],
  [{ origin: 'https://app.example.com', host: 'here:4000' }, true, 'a page on the list'],
  [{ origin: 'https://app.example.com.evil.com', host: 'here:4000' }, false, 'a page that looks like one on the list'],
  [{ origin: 'null', host: 'here:4000' }, false, 'a page without an origin'],
])('%j is allowed: %s, being %s', (headers, allowed, _who) => {
  expect(from(headers)).toBe(allowed)
})

test.each<[method: string, headers: Record<string, string>, forged: boolean]>([
  ['POST', { 'content-type': 'application/json' }, false],
  ['POST', { 'content-type': 'application/json; charset=utf-8' }, false],
  ['POST', { 'content-type': 'text/plain' }, true],
  ['POST', { 'content-type': 'Text/Plain; application/json' }, true],
  ['POST', {}, true],
  ['GET', {}, true],
  ['GET', { 'sec-fetch-site': 'same-origin' }, false],
  ['GET', { 'sec-fetch-site': 'none' }, false],
  ['GET', { 'sec-fetch-site': 'cross-site' }, true],
  ['GET', { 'sec-fetch-site': 'same-site' }, true],
  ['GET', { 'x-requested-with': 'fetch', 'sec-fetch-site': 'cross-site' }, false],
  ['OPTIONS', {}, false],
])('%s with %j could be forged: %s', (method, headers, forged) => {
  expect(couldBeForged(request(method, headers))).toBe(forged)
})
