import { expect, test } from 'vitest'
import { usCloseOf } from './us-trading-days.ts'

test.each([
  ['a Monday', '2026-11-23', '16:00'],
  ['the day after Thanksgiving', '2026-11-27', '13:00'],
  ['Christmas Eve', '2026-12-24', '13:00'],
  ['the eve of Independence Day', '2025-07-03', '13:00'],
  ['a Friday before a Saturday that is New Year', '2021-12-31', '16:00'],
  ['a Friday before a Sunday that is Independence Day', '2027-07-02', '16:00'],
  ['Juneteenth before it was a holiday of the exchange', '2020-06-19', '16:00'],
])('%s, %s, ends at %s in New York', (_what, date, close) => {
  expect(usCloseOf(date)).toBe(close)
})

test.each([
  ['a Saturday', '2026-11-21'],
  ['a Sunday', '2026-11-22'],
  ['New Year', '2026-01-01'],
  ['New Year on a Sunday, kept on the Monday', '2023-01-02'],
  ['Martin Luther King Day', '2026-01-19'],
  ["Presidents' Day", '2026-02-16'],
  ['Good Friday 2024', '2024-03-29'],
  ['Good Friday 2025', '2025-04-18'],
  ['Good Friday 2026', '2026-04-03'],
  ['Memorial Day', '2026-05-25'],
  ['Juneteenth', '2026-06-19'],
  ['Independence Day on a Saturday, kept on the Friday', '2026-07-03'],
  ['Independence Day on a Sunday, kept on the Monday', '2027-07-05'],
  ['Labor Day', '2026-09-07'],
  ['Thanksgiving', '2026-11-26'],
  ['Christmas', '2026-12-25'],
  ['Christmas on a Saturday, kept on the Friday', '2027-12-24'],
])('on %s, %s, the US exchanges do not trade', (_what, date) => {
  expect(usCloseOf(date)).toBeUndefined()
})

test.each([
  [2024, 252],
  [2026, 251],
])('%i has %i trading days', (year, days) => {
  let count = 0
  for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += 86_400_000)
    if (usCloseOf(new Date(ms).toISOString().slice(0, 10))) count++
  expect(count).toBe(days)
})
