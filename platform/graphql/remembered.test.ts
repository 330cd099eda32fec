import { expect, test } from 'vitest'
import { ManualClock } from '../clock.ts'
import { Remembered } from './remembered.ts'

const open = (sizeMax = 2) => {
  const clock = new ManualClock()
  return { clock, remembered: new Remembered<number>({ clock, sizeMax, forMs: 100 }) }
}

test('what was put in is there until it is too old', async () => {
  const { clock, remembered } = open()
  remembered.set('a', 1)
  await clock.advance(99)
  expect(remembered.get('a')).toBe(1)
  await clock.advance(1)
  expect(remembered.get('a')).toBeUndefined()
})

test('what takes its place gets no younger by it', async () => {
  const { clock, remembered } = open()
  remembered.set('a', 1)
  await clock.advance(60)
  remembered.replace('a', 2)
  expect(remembered.get('a')).toBe(2)
  await clock.advance(40)
  expect(remembered.get('a')).toBeUndefined()
})

test('nothing takes the place of nothing', () => {
  const { remembered } = open()
  remembered.replace('a', 1)
  expect(remembered.get('a')).toBeUndefined()
})

test('over the bound the one remembered first is forgotten', () => {
  const { remembered } = open()
  for (const [value, key] of ['a', 'b', 'a', 'c'].entries()) remembered.set(key, value)
  expect(['a', 'b', 'c'].map((key) => remembered.get(key))).toEqual([2, undefined, 3])
})
