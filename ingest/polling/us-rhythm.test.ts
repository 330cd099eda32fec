import { expect, test } from 'vitest'
import { onceAfterUsClose, whileUsTrades } from './us-rhythm.ts'

const at = (iso: string) => Date.parse(iso)
const iso = (ms: number) => new Date(ms).toISOString()
const MINUTE_MS = 60_000

test('what was never asked for is due now', () => {
  for (const due of [whileUsTrades(MINUTE_MS, 0), onceAfterUsClose(0)]) expect(due(5, undefined)).toBe(5)
})

test('while the exchanges trade it is due again and again', () => {
  const due = whileUsTrades(MINUTE_MS, 5 * MINUTE_MS)
  expect(iso(due(0, at('2026-11-20T15:00:00Z')))).toBe('2026-11-20T15:01:00.000Z')
})

test('after the bell it is due once more, then when they open', () => {
  const due = whileUsTrades(MINUTE_MS, 5 * MINUTE_MS)
  expect(iso(due(0, at('2026-11-20T20:59:30Z')))).toBe('2026-11-20T21:05:00.000Z')
  expect(iso(due(0, at('2026-11-20T21:05:00Z')))).toBe('2026-11-23T14:30:00.000Z')
})

test('asked for in the night it is due when they open', () => {
  const due = whileUsTrades(MINUTE_MS, 5 * MINUTE_MS)
  expect(iso(due(0, at('2026-11-23T03:00:00Z')))).toBe('2026-11-23T14:30:00.000Z')
})

test('what a day brings is due once, so long after its bell', () => {
  const due = onceAfterUsClose(4 * 3_600_000)
  expect(iso(due(0, at('2026-11-20T15:00:00Z')))).toBe('2026-11-21T01:00:00.000Z')
  expect(iso(due(0, at('2026-11-21T01:00:00Z')))).toBe('2026-11-24T01:00:00.000Z')
})
