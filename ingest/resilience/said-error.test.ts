import { expect, test } from 'vitest'
import { VendorError } from '../vendor-error.ts'
import { errorOfAnswer } from './said-error.ts'
import type { VendorResponse } from './vendor-http.ts'

const NOW_MS = 1_000_000
const answer = (status: number, body: string, headers = {}): VendorResponse => ({
  status,
  headers,
  body: Buffer.from(body),
  receivedAtMs: NOW_MS,
})
const says = (error: VendorError) => (value: unknown) => (value === 'sorry' ? error : undefined)
const unknown = new VendorError('VENDOR_UNKNOWN', 'no such symbol')

test('what the body says makes the status exact', () => {
  expect(errorOfAnswer('Acme', answer(400, '"sorry"'), says(unknown))).toBe(unknown)
})

test('a body that says nothing leaves what the status says', () => {
  expect(errorOfAnswer('Acme', answer(404, '<html>'), says(unknown))).toMatchObject({ code: 'VENDOR_UNKNOWN' })
  expect(errorOfAnswer('Acme', answer(401, '{}'), says(unknown))).toMatchObject({ code: 'VENDOR_REFUSED', ofKey: true })
})

test('an outage is one, whatever the body says', () => {
  expect(errorOfAnswer('Acme', answer(502, '"sorry"'), says(unknown))).toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
})

test('a limit is over when the header says so, and else when the body does', () => {
  const limit = says(new VendorError('VENDOR_LIMIT', 'come back', { retryAtMs: NOW_MS + 60_000 }))
  expect(errorOfAnswer('Acme', answer(429, '"sorry"'), limit)).toMatchObject({ retryAtMs: NOW_MS + 60_000 })
  expect(errorOfAnswer('Acme', answer(429, '"sorry"', { 'retry-after': '5' }), limit)).toMatchObject({
    message: 'come back',
    retryAtMs: NOW_MS + 5_000,
  })
})
