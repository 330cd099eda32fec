import { describe, expect, test } from 'vitest'
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

const openTasks = (partitions = 1) => {
  const tasks = new Tasks<undefined, Work>()
  const opened = Array.from({ length: partitions }, (_, partition) =>
    openTask<undefined, Work>({ partition, epoch: 1, nextOffset: 0, sources: new Map(), state: [] }, undefined),
  )
  for (const task of opened) tasks.put(task)
  return { tasks, task: opened[0], opened }
}

test('a transaction takes few rejected records when they are large', () => {
  const { tasks, task } = openTasks()
  const bounds = { lanes: 1, batchSizeMax: 10_000, waveSizeMax: 200 }
  for (let offset = 0; offset < 100; offset++) tasks.enqueue(task, rejected(1_000_000, offset))
  expect(task.queuedCount).toBeGreaterThan(90_000)
  expect(tasks.take(0, bounds)).toHaveLength(10)
  while (tasks.take(0, bounds).length > 0);
  expect(task.queuedCount).toBe(0)
})

describe('of two lanes', () => {
  const WAVE = 200
  const bounds = { lanes: 2, batchSizeMax: 10_000, waveSizeMax: WAVE }

  /** So many ticks wait on each of four partitions; `take` answers the partitions that a lane was given. */
  function openWaiting(cost: number) {
    const { tasks, opened } = openTasks(4)
    const arrive = (partition: number) => tasks.enqueue(opened[partition], work(0, { partition, cost }))
    for (const { partition } of opened) arrive(partition)
    const take = (lane: number) => tasks.take(lane, bounds).map(({ task }) => task.partition)
    return { tasks, arrive, take }
  }

  test('one takes the work of both where it is little, and nobody more before that is told', () => {
    const { tasks, arrive, take } = openWaiting(WAVE / 4)
    expect(take(1)).toEqual([0, 1, 2, 3])
    arrive(0)
    arrive(1)
    expect(take(0)).toEqual([])
    expect(take(1)).toEqual([])
    tasks.rest(0)
    expect(take(0)).toEqual([])
    tasks.rest(1)
    expect(take(0)).toEqual([0, 1])
  })

  test('the other hears when that is told', async () => {
    const { tasks, take } = openWaiting(1)
    take(0)
    const changed = tasks.changed.wait()
    tasks.rest(0)
    await changed
  })

  test('each takes its own where it is much', () => {
    const { take } = openWaiting(WAVE / 4 + 1)
    expect(take(0)).toEqual([0, 2])
    expect(take(1)).toEqual([1, 3])
  })

  test('each takes its own while the other has something in hand', () => {
    const { tasks, arrive, take } = openWaiting(WAVE)
    expect(take(0)).toEqual([0, 2])
    expect(take(1)).toEqual([1, 3])
    tasks.rest(1)
    arrive(0)
    arrive(1)
    expect(take(1)).toEqual([1])
  })
})
