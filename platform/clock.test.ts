import { describe, expect, test } from 'vitest'
import { ManualClock, systemClock } from './clock.ts'

describe.each([
  ['the system clock', () => systemClock],
  ['the clock for tests', () => new ManualClock(5)],
])('%s', (_name, open) => {
  test('a sleep ends at once when its signal aborts', async () => {
    const stop = new AbortController()
    const asleep = open().sleep(3_600_000, stop.signal)
    stop.abort()
    await asleep
  })

  test('a sleep with an aborted signal does not begin', async () => {
    await open().sleep(3_600_000, AbortSignal.abort())
  })
})

describe('the clock for tests', () => {
  test('wakes sleepers in the order they are due, at their time', async () => {
    const clock = new ManualClock()
    const woken: [name: string, atMs: number][] = []
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms)
      woken.push([name, clock.now()])
    }
    const all = Promise.all([sleep('late', 30), sleep('early', 10), sleep('middle', 20)])
    await clock.advance(100)
    await all
    expect(woken).toEqual([
      ['early', 10],
      ['middle', 20],
      ['late', 30],
    ])
  })

  test('no longer counts a sleeper that its signal woke', () => {
    const clock = new ManualClock()
    const stop = new AbortController()
    void clock.sleep(10, stop.signal)
    expect(clock.sleeping).toBe(1)
    stop.abort()
    expect(clock.sleeping).toBe(0)
  })
})
