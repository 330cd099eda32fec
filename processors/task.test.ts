import { expect, test } from 'vitest'
import { costOfRejects } from './reading.ts'
import { openTask, Tasks } from './task.ts'
import type { RejectedRecord, Work } from './work.ts'

const work = (offset: number, fields: Partial<Work>): Work => ({
  partition: 0,
  records: 0,
  rejects: [],
  duplicates: 0,
  cost: 0,
  nextOffset: offset + 1,
  sources: new Map(),
  ...fields,
})

function rejected(bytes: number, offset: number): Work {
  const record = { offset, key: null, value: Buffer.alloc(bytes), headers: {} }
  const rejects: RejectedRecord[] = [{ record, code: 'UNDECODABLE_EVENT', reason: 'no tick' }]
  return work(offset, { rejects, cost: costOfRejects(rejects) })
}

const openTasks = () => {
  const tasks = new Tasks<undefined, Work>()
  const task = openTask<undefined, Work>(
    { partition: 0, epoch: 1, nextOffset: 0, sources: new Map(), state: [] },
    undefined,
  )
  tasks.put(task)
  return { tasks, task }
}

test('a transaction takes few rejected records when they are large', () => {
  const { tasks, task } = openTasks()
  for (let offset = 0; offset < 100; offset++) tasks.enqueue(task, rejected(1_000_000, offset))
  expect(task.queuedCount).toBeGreaterThan(90_000)
  expect(tasks.take(0, 1, 10_000)).toHaveLength(10)
  while (tasks.take(0, 1, 10_000).length > 0);
  expect(task.queuedCount).toBe(0)
})
