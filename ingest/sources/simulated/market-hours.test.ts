import { describe, expect, test } from 'vitest'
import { busyness, SESSION_MS, Sessions } from './market-hours.ts'

const isOpen = (iso: string) => new Sessions('us').at(Date.parse(iso)).isOpen

describe('US market hours', () => {
  test.each([
    ['a Monday in summer (UTC-4)', '2026-07-06', '13:30', '20:00'],
    ['a Monday in winter (UTC-5)', '2026-01-05', '14:30', '21:00'],
    ['the Friday before clocks go forward', '2026-03-06', '14:30', '21:00'],
    ['the Monday after clocks went forward', '2026-03-09', '13:30', '20:00'],
    ['the Friday before clocks go back', '2026-10-30', '13:30', '20:00'],
    ['the Monday after clocks went back', '2026-11-02', '14:30', '21:00'],
  ])('on %s are 09:30 to 16:00 in New York', (_what, day, open, close) => {
    expect(isOpen(`${day}T${open}:00.000Z`)).toBe(true)
    expect(new Sessions('us').at(Date.parse(`${day}T${open}:00Z`) - 1).isOpen).toBe(false)
    expect(new Sessions('us').at(Date.parse(`${day}T${close}:00Z`) - 1).isOpen).toBe(true)
    expect(isOpen(`${day}T${close}:00.000Z`)).toBe(false)
  })

  test.each(['2026-07-04', '2026-07-05'])('there are none on the weekend day %s', (day) => {
    for (let hour = 0; hour < 24; hour++) expect(isOpen(`${day}T${String(hour).padStart(2, '0')}:45:00Z`)).toBe(false)
  })

  test('asked minute by minute for a week, there are five sessions of 390 minutes', () => {
    const sessions = new Sessions('us')
    let open = 0
    for (let ms = Date.UTC(2026, 6, 4); ms < Date.UTC(2026, 6, 11); ms += 60_000) if (sessions.at(ms).isOpen) open++
    expect(open).toBe(5 * 390)
  })
})

test('always open means one session after the other', () => {
  const sessions = new Sessions('always')
  const first = sessions.at(Date.UTC(2026, 6, 4))
  const second = sessions.at(first.endMs)
  expect([first.isOpen, second.isOpen]).toEqual([true, true])
  expect([first.endMs - first.startMs, second.startMs]).toEqual([SESSION_MS, first.endMs])
})

test('it is busiest at the bells and quietest at noon', () => {
  const period = { isOpen: true, startMs: 0, endMs: SESSION_MS }
  const at = (part: number) => busyness(period, part * SESSION_MS)
  expect(at(0)).toBeCloseTo(at(1))
  expect(at(0)).toBeGreaterThan(2 * at(0.2))
  expect(at(0.2)).toBeGreaterThan(at(0.5))
})
