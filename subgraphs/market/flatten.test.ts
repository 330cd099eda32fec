import { expect, test, vi } from 'vitest'
import { flatten } from './flatten.ts'

async function* updates(...all: number[][]) {
  yield* all
}

test('every part of every update comes, in order', async () => {
  const parts: number[] = []
  for await (const part of flatten(updates([1, 2], [], [3]), (update) => update)) parts.push(part)
  expect(parts).toEqual([1, 2, 3])
})

test('leaving reaches a source that waits for its next event', async () => {
  const leave = vi.fn(async () => ({ done: true as const, value: undefined }))
  const silent: AsyncIterableIterator<number[]> = {
    next: () => new Promise(() => undefined),
    return: leave,
    [Symbol.asyncIterator]: () => silent,
  }
  const parts = flatten(silent, (update) => update)
  void parts.next()
  expect(await parts.return(undefined)).toEqual({ done: true, value: undefined })
  expect(leave).toHaveBeenCalledTimes(1)
})
