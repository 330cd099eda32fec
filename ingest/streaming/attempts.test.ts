import { expect, test } from 'vitest'
import { ManualClock } from '../../platform/clock.ts'
import { Attempts } from './attempts.ts'

const LIMITS = { attempts: { count: 3, perMs: 60_000 }, backOffMsMin: 1_000, backOffMsMax: 8_000 }
const never = new AbortController().signal

/** When so many connections are tried that each fail at once. */
async function triedAt(count: number, random: () => number, limits = LIMITS): Promise<number[]> {
  const clock = new ManualClock(0)
  const attempts = new Attempts(limits, clock, random)
  const triedMs: number[] = []
  const trying = (async () => {
    for (let i = 0; i < count; i++) {
      await attempts.turn(never)
      triedMs.push(clock.now())
      attempts.ended(0, undefined)
    }
  })()
  await clock.advance(0)
  for (let i = 0; i < 1_000 && triedMs.length < count; i++) await clock.advance(1_000)
  await trying
  return triedMs
}

test('Pauses between connections grow up to their bound, with jitter', async () => {
  const unlimited = { ...LIMITS, attempts: { count: 1_000, perMs: 1 } }
  const pauses = (times: number[]) => times.slice(1).map((each, i) => each - times[i])
  expect(pauses(await triedAt(6, () => 1, unlimited))).toEqual([2_000, 6_000, 8_000, 8_000, 8_000])
  expect(pauses(await triedAt(4, () => 0, unlimited))).toEqual([1_000, 1_000, 1_000])
})

test('The vendor never sees more connections in a window than it allows', async () => {
  const times = await triedAt(20, () => 0)
  for (const fromMs of times)
    expect(times.filter((each) => each >= fromMs && each < fromMs + 60_000).length).toBeLessThanOrEqual(3)
})

test('A vendor who says when to come back is not tried before', async () => {
  const clock = new ManualClock(0)
  const attempts = new Attempts(LIMITS, clock, () => 0)
  await attempts.turn(never)
  attempts.ended(0, 30_000)
  let isTried = false
  const trying = attempts.turn(never).then(() => {
    isTried = true
  })
  await clock.advance(29_999)
  expect(isTried).toBe(false)
  await clock.advance(1)
  await trying
})

test('A connection that lived long is followed by a short pause again', async () => {
  const clock = new ManualClock(0)
  const attempts = new Attempts({ ...LIMITS, attempts: { count: 100, perMs: 1 } }, clock, () => 1)
  for (const livedMs of [0, 0, 0, 600_000]) attempts.ended(livedMs, undefined)
  let isTried = false
  const trying = attempts.turn(never).then(() => {
    isTried = true
  })
  await clock.advance(2_000)
  expect(isTried).toBe(true)
  await trying
})

test('Waiting for a turn ends when it is stopped', async () => {
  const clock = new ManualClock(0)
  const attempts = new Attempts(LIMITS, clock)
  attempts.ended(0, 1_000_000)
  const stop = new AbortController()
  const waiting = attempts.turn(stop.signal)
  stop.abort()
  await expect(waiting).resolves.toBeUndefined()
})
