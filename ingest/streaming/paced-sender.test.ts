import { expect, test } from 'vitest'
import { PacedSender } from './paced-sender.ts'

test('Frames go in order, no more in any window than the vendor reads', () => {
  const sent: [frame: string, atMs: number][] = []
  let nowMs = 0
  const sender = new PacedSender({ count: 2, perMs: 1_000 }, (frame) => sent.push([frame, nowMs]))
  for (const frame of 'abcde') sender.push(frame, nowMs)
  for (nowMs = 100; nowMs <= 3_000; nowMs += 100) sender.flush(nowMs)
  expect(sent).toEqual([
    ['a', 0],
    ['b', 0],
    ['c', 1_000],
    ['d', 1_000],
    ['e', 2_000],
  ])
})
