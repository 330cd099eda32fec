import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VendorError } from '../../vendor-error.ts'
import { answerOf, saysNoArticles } from './notices.ts'

const NOW_MS = Date.parse('2026-11-23T16:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

function refusalOf(body: Buffer): VendorError {
  try {
    answerOf(body, NOW_MS)
  } catch (error) {
    if (error instanceof VendorError) return error
    throw error
  }
  throw new Error('expected a VendorError')
}

test('one request a second: come back in two', () => {
  expect(refusalOf(payload('notice-per-second'))).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: NOW_MS + 2_000 })
})

test('the day is used up: come back at midnight in New York', () => {
  const error = refusalOf(payload('notice-per-day'))
  expect(error).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: Date.parse('2026-11-24T05:00:00Z') })
})

test('midnight in New York is the right one on the day clocks are changed', () => {
  const sunday = Date.parse('2026-11-01T04:30:00Z')
  expect(() => answerOf(payload('notice-per-day'), sunday)).toThrow(
    expect.objectContaining({ retryAtMs: Date.parse('2026-11-02T05:00:00Z') }),
  )
})

test('the older text of a limit: come back in a minute', () => {
  expect(refusalOf(payload('notice-note'))).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: NOW_MS + 60_000 })
})

test.each(['notice-premium', 'notice-demo'])('%s: this function is not for this key', (name) => {
  expect(refusalOf(payload(name))).toMatchObject({ code: 'VENDOR_REFUSED', ofKey: false })
})

test('a wrong key is wrong for everything', () => {
  expect(refusalOf(payload('error-key'))).toMatchObject({ code: 'VENDOR_REFUSED', ofKey: true })
})

test('an invalid call is about what was asked for', () => {
  expect(refusalOf(payload('error-call'))).toMatchObject({ code: 'VENDOR_UNKNOWN' })
})

test('no articles is an answer', () => {
  expect(saysNoArticles(answerOf(payload('notice-no-articles'), NOW_MS))).toBe(true)
})

test('a page of HTML is an outage', () => {
  expect(refusalOf(Buffer.from('<!DOCTYPE html><title>503</title>'))).toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
})

test('a text that nobody has seen before is put aside, without the key it may quote', () => {
  for (const key of ['Q7ZK2M9XW4LB8TRD', 'ABCDEFGHIJKLMNOP', 'a1b2c3d4e5f6']) {
    const error = refusalOf(Buffer.from(JSON.stringify({ Information: `Your key ${key} has a birthday` })))
    expect(error.code).toBe('VENDOR_ANSWER')
    expect(`${error.message} ${error.original} ${error.cause}`).not.toContain(key)
    expect(error.original?.toString()).toContain('has a birthday')
  }
})

test('no notice shows the key that it quotes', () => {
  expect(JSON.stringify(refusalOf(payload('notice-per-day')))).not.toContain('Q7ZK2M9XW4LB8TRD')
  expect(refusalOf(payload('notice-per-day')).message).not.toContain('Q7ZK2M9XW4LB8TRD')
})
