import { expect, test } from 'vitest'
import { CalendarDate, isCalendarDate } from './calendar-date.ts'

test('a day is told and taken as it is', () => {
  expect(CalendarDate.parseValue('2026-11-20')).toBe('2026-11-20')
  expect(CalendarDate.serialize('2026-11-20')).toBe('2026-11-20')
})

test.each(['2026-02-30', '2026-13-01', '2026-1-1', '2026-11-20T00:00:00Z', ''])('%j is no day', (text) => {
  expect(() => CalendarDate.parseValue(text)).toThrow()
  expect(isCalendarDate(text)).toBe(false)
})

test('a leap day is one', () => {
  expect(isCalendarDate('2024-02-29')).toBe(true)
})
