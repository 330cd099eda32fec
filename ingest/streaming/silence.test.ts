import { describe, expect, test } from 'vitest'
import { Silence } from './silence.ts'

const frames = { framesMs: 10_000, pingsCount: false }
const OPENS_MS = 100_000
/** Prints are expected at least every 30 s from the opening on. */
const prints = { ...frames, printsMs: (nowMs: number) => (nowMs >= OPENS_MS ? 30_000 : undefined) }

describe('An open socket is mute', () => {
  test('when no frame has come for longer than the vendor is ever silent', () => {
    const silence = new Silence(frames, 0)
    silence.heardFrame(5_000)
    expect(silence.tooLong(15_000, 0)).toBeUndefined()
    expect(silence.tooLong(15_001, 0)).toEqual({ what: 'frames', sinceMs: 5_000, limitMs: 10_000 })
  })

  test('not before it has been listened to for so long', () => {
    expect(new Silence(frames, 0).tooLong(60_000, 55_000)).toBeUndefined()
  })

  test('when frames come but no prints, while the market is open', () => {
    const silence = new Silence(prints, 0)
    for (let nowMs = 0; nowMs <= OPENS_MS + 30_000; nowMs += 5_000) {
      silence.heardFrame(nowMs)
      expect(silence.tooLong(nowMs, 0)).toBeUndefined()
    }
    silence.heardFrame(OPENS_MS + 35_000)
    expect(silence.tooLong(OPENS_MS + 35_000, 0)).toMatchObject({ what: 'prints', sinceMs: OPENS_MS })
  })

  test('not because the process itself stood still', () => {
    const silence = new Silence(frames, 0)
    silence.excuse(3_600_000)
    expect(silence.tooLong(3_605_000, 0)).toBeUndefined()
  })
})
