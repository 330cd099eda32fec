import { expect, test, vi } from 'vitest'
import { BoundedStream } from './bounded-stream.ts'

const open = (limit = 2) => {
  const onDropped = vi.fn()
  const onLeave = vi.fn()
  return { stream: new BoundedStream({ limit, onDropped, onLeave }), onDropped, onLeave }
}
const price = (price: number) => ({ data: { price } })

test('a slow reader gets the newest results and is told how many it missed', async () => {
  const { stream, onDropped } = open()
  for (const p of [1, 2, 3, 4]) stream.push(price(p))
  expect((await stream.next()).value).toEqual({ data: { price: 3 }, extensions: { stream: { skipped: 2 } } })
  expect((await stream.next()).value).toEqual({ data: { price: 4 } })
  expect(onDropped).toHaveBeenCalledTimes(2)
})

test('what one reader missed is not written on the result the others read', async () => {
  const slow = open(1)
  const fast = open(2)
  const results = [price(1), price(2)]
  for (const result of results) {
    slow.stream.push(result)
    fast.stream.push(result)
  }
  await slow.stream.next()
  expect((await fast.stream.next()).value).toBe(results[0])
  expect((await fast.stream.next()).value).toEqual({ data: { price: 2 } })
})

test('what waits at the end can still be read', async () => {
  const { stream, onLeave } = open()
  stream.push(price(1))
  stream.end()
  expect((await stream.next()).value).toEqual(price(1))
  expect((await stream.next()).done).toBe(true)
  expect(onLeave).not.toHaveBeenCalled()
})

test('leaving ends a waiting read and is told once', async () => {
  const { stream, onLeave } = open()
  const read = stream.next()
  await stream.return()
  await stream.return()
  expect((await read).done).toBe(true)
  expect(onLeave).toHaveBeenCalledTimes(1)
})
