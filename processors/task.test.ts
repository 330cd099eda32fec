import { expect, test } from 'vitest'
import { TickColumns } from '../domain/tick-columns.ts'
import type { Work } from './processor.ts'
import { openTask, Tasks } from './task.ts'

const rejected = (bytes: number, offset: number): Work => ({
  partition: 0,
  ticks: new TickColumns(0),
  originals: [],
  rejects: [
    {
      record: { offset, key: null, value: Buffer.alloc(bytes), headers: {} },
      code: 'UNDECODABLE_EVENT',
      reason: 'no tick',
    },
  ],
  follows: [],
  duplicates: 0,
  nextOffset: offset + 1,
  sources: new Map(),
})

const duplicates = (count: number, offset: number): Work => ({
  ...rejected(0, offset),
  rejects: [],
  duplicates: count,
})

const openTasks = () => {
  const tasks = new Tasks<undefined>()
  const task = openTask({ partition: 0, epoch: 1, nextOffset: 0, sources: new Map(), state: [] }, undefined)
  tasks.put(task)
  return { tasks, task }
}

test('duplicates that wait count as records that wait', () => {
  const { tasks, task } = openTasks()
  tasks.enqueue(task, duplicates(5_000, 0))
  expect(task.queuedCount).toBe(5_000)
})

test('a transaction takes few rejected records when they are large', () => {
  const { tasks, task } = openTasks()
  for (let offset = 0; offset < 100; offset++) tasks.enqueue(task, rejected(1_000_000, offset))
  expect(tasks.waiting(0, 1)).toBeGreaterThan(90_000)
  expect(tasks.take(0, 1, 10_000)).toHaveLength(10)
  while (tasks.take(0, 1, 10_000).length > 0);
  expect(task.queuedCount).toBe(0)
})
