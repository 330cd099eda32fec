import { expect, test } from 'vitest'
import {
  isUsMarketOpen,
  lastUsCloseMs,
  localDate,
  localTimeMs,
  NEW_YORK,
  nextUsCloseMs,
  nextUsOpenMs,
  usCloseMs,
  usDayStartMs,
} from './exchange-clock.ts'

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())

test('the closing bell follows daylight saving and early closes', () => {
  expect(iso(usCloseMs('2026-11-20'))).toBe('2026-11-20T21:00:00.000Z')
  expect(iso(usCloseMs('2026-07-06'))).toBe('2026-07-06T20:00:00.000Z')
  expect(iso(usCloseMs('2026-11-27'))).toBe('2026-11-27T18:00:00.000Z')
  expect(usCloseMs('2026-11-26')).toBeUndefined()
})

test('the market is open from bell to bell', () => {
  expect(isUsMarketOpen(Date.parse('2026-11-23T14:29:59.999Z'))).toBe(false)
  expect(isUsMarketOpen(Date.parse('2026-11-23T14:30:00Z'))).toBe(true)
  expect(isUsMarketOpen(Date.parse('2026-11-27T18:00:00Z'))).toBe(false)
  expect(isUsMarketOpen(Date.parse('2026-11-22T16:00:00Z'))).toBe(false)
})

test('the next bells are found over holidays and weekends', () => {
  const wednesdayNight = Date.parse('2026-11-25T23:00:00Z')
  expect(iso(nextUsOpenMs(wednesdayNight))).toBe('2026-11-27T14:30:00.000Z')
  expect(iso(nextUsCloseMs(wednesdayNight))).toBe('2026-11-27T18:00:00.000Z')
  const bell = Date.parse('2026-11-27T18:00:00Z')
  expect(iso(nextUsCloseMs(bell))).toBe('2026-11-30T21:00:00.000Z')
  expect(iso(lastUsCloseMs(bell))).toBe('2026-11-27T18:00:00.000Z')
  expect(iso(lastUsCloseMs(bell - 1))).toBe('2026-11-25T21:00:00.000Z')
})

test('a clock time belongs to a place', () => {
  expect(iso(localTimeMs('2026-11-20', '19:55:00', NEW_YORK))).toBe('2026-11-21T00:55:00.000Z')
  expect(localTimeMs('2026-02-30', '10:00', NEW_YORK)).toBeUndefined()
  expect(localTimeMs('2026-02-20', '10:00', 'Mars/Olympus')).toBeUndefined()
  expect(localDate(Date.parse('2026-11-21T00:55:00Z'), NEW_YORK)).toBe('2026-11-20')
})

test('a day ends with the last millisecond before midnight of its place, wherever that is', () => {
  const midnights = [
    [NEW_YORK, '2026-03-09T04:00:00Z', '2026-03-09'],
    [NEW_YORK, '2026-11-02T05:00:00Z', '2026-11-02'],
    ['Asia/Kathmandu', '2026-11-20T18:15:00Z', '2026-11-21'],
    ['Africa/Monrovia', '1971-06-01T00:44:30Z', '1971-06-01'],
  ]
  for (const [timeZone, midnight, date] of midnights) {
    const startMs = Date.parse(midnight)
    for (const ms of [0, 1, 899_999, 86_399_999]) expect(localDate(startMs + ms, timeZone)).toBe(date)
    expect(localDate(startMs - 1, timeZone)).not.toBe(date)
  }
})

test('a daily bar begins at midnight UTC of the day that it was in New York, stamped with its start there or with its end', () => {
  expect(iso(usDayStartMs(Date.parse('2026-11-20T05:00:00Z')))).toBe('2026-11-20T00:00:00.000Z')
  expect(iso(usDayStartMs(Date.parse('2026-07-06T04:00:00Z')))).toBe('2026-07-06T00:00:00.000Z')
  expect(iso(usDayStartMs(Date.parse('2026-11-21T01:00:00Z')))).toBe('2026-11-20T00:00:00.000Z')
})
