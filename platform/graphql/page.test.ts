import { expect, test } from 'vitest'
import { connection, cursorOf, firstOf, keyOfCursor } from './page.ts'

test('a cursor gives back the key it was made of', () => {
  expect(keyOfCursor('bar', cursorOf('bar', '1381152600000'))).toBe('1381152600000')
})

test.each(['', 'nonsense', cursorOf('instrument', 'AAPL')])('the cursor %j of another list is refused', (cursor) => {
  expect(() => keyOfCursor('bar', cursor)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

test.each([0, -1, 501])('a page of %i is refused', (first) => {
  expect(() => firstOf(first, 50, 500)).toThrow(`first must be from 1 to 500, was ${first}`)
})

test('a page has its default size where nobody says', () => {
  expect(firstOf(undefined, 50, 500)).toBe(50)
})

test('an empty page has no cursors', () => {
  const { edges, pageInfo } = connection({ items: [], hasNext: false }, 'x', String, String)
  expect(edges).toEqual([])
  expect(pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true, startCursor: undefined, endCursor: undefined })
})
