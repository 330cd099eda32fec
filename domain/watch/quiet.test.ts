import { describe, expect, test } from 'vitest'
import { NEVER_MS } from './average.ts'
import { heardMs, openClock, passTime } from './heard-clock.ts'
import { type GapMemory, judgeQuiet, learnGap, QUIET_RULE } from './quiet.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
/** A Friday, the US exchanges open. */
const OPEN_MS = Date.UTC(2026, 10, 20, 14, 30)

const fresh = (newestMs = OPEN_MS): GapMemory => ({
  newestMs,
  prints: 1,
  gaps: 0,
  usualGapMs: SECOND_MS,
  heardMs: 0,
  isStale: false,
  staleToldMs: NEVER_MS,
})

/** A print every so often; the source is heard all the time. */
function printing(memory: GapMemory, count: number, everyMs: number): GapMemory {
  for (let i = 0; i < count; i++) print(memory, memory.newestMs + everyMs, memory.heardMs + everyMs)
  return memory
}

function print(memory: GapMemory, eventTimeMs: number, heard: number): void {
  learnGap(memory, 'US', eventTimeMs, heard)
  memory.newestMs = Math.max(memory.newestMs, eventTimeMs)
}

describe('A symbol is stale', () => {
  test('where its source was heard for many of its usual gaps since its last print', () => {
    const memory = printing(fresh(), 100, 20 * SECOND_MS)
    expect(memory.usualGapMs).toBeCloseTo(20 * SECOND_MS)
    expect(judgeQuiet(memory, memory.heardMs + 400 * SECOND_MS)).toBeUndefined()
    expect(judgeQuiet(memory, memory.heardMs + 401 * SECOND_MS)).toMatchObject({ allowedMs: 400 * SECOND_MS })
  })

  test('not before some minutes, however often it prints', () => {
    const memory = printing(fresh(), 100, SECOND_MS / 10)
    expect(judgeQuiet(memory, memory.heardMs + QUIET_RULE.quietMsMin)).toBeUndefined()
    expect(judgeQuiet(memory, memory.heardMs + QUIET_RULE.quietMsMin + 1)).toMatchObject({ isSuppressed: false })
  })

  test('never where it prints so seldom that nobody can say', () => {
    const memory = printing(fresh(Date.UTC(2026, 10, 20, 15)), QUIET_RULE.warmUpPrints + 1, 5 * SECOND_MS)
    memory.usualGapMs = 13 * MINUTE_MS
    expect(judgeQuiet(memory, memory.heardMs + 7 * 86_400_000)).toBeUndefined()
  })

  test('never where too few prints are known', () => {
    const memory = printing(fresh(), QUIET_RULE.warmUpPrints - 2, SECOND_MS)
    expect(judgeQuiet(memory, memory.heardMs + 86_400_000)).toBeUndefined()
  })

  test('once, until it prints again', () => {
    const memory = printing(fresh(), 100, 20 * SECOND_MS)
    const heard = memory.heardMs
    expect(judgeQuiet(memory, heard + 500 * SECOND_MS)).toBeDefined()
    expect(judgeQuiet(memory, heard + 5_000 * SECOND_MS)).toBeUndefined()
    print(memory, memory.newestMs + 5_010 * SECOND_MS, heard + 5_010 * SECOND_MS)
    expect(judgeQuiet(memory, heard + 8_000 * SECOND_MS)).toMatchObject({ isSuppressed: false })
  })

  test('again soon after is counted and not told', () => {
    const memory = printing(fresh(), 100, 5 * SECOND_MS)
    judgeQuiet(memory, memory.heardMs + 200 * SECOND_MS)
    print(memory, memory.newestMs + 210 * SECOND_MS, memory.heardMs + 210 * SECOND_MS)
    expect(judgeQuiet(memory, memory.heardMs + 400 * SECOND_MS)).toMatchObject({ isSuppressed: true })
  })
})

describe('The usual gap', () => {
  test('does not know of nights', () => {
    const memory = printing(fresh(Date.UTC(2026, 10, 19, 20, 58)), 100, SECOND_MS)
    const before = memory.usualGapMs
    print(memory, OPEN_MS + SECOND_MS, memory.heardMs + SECOND_MS)
    expect(memory.usualGapMs).toBe(before)
  })

  test('does not change by one pause, and does where the symbol trades less from now on', () => {
    const memory = printing(fresh(), 100, 2 * SECOND_MS)
    printing(memory, 1, 10 * MINUTE_MS)
    expect(memory.usualGapMs).toBeLessThan(3 * SECOND_MS)
    printing(memory, 100, MINUTE_MS)
    expect(memory.usualGapMs).toBeGreaterThan(45 * SECOND_MS)
  })
})

describe('The clock of a source', () => {
  test('goes on while anything is told', () => {
    const clock = openClock(OPEN_MS)
    for (let i = 1; i <= 60; i++) passTime(clock, OPEN_MS + i * SECOND_MS)
    expect(heardMs(clock, 'US')).toBe(MINUTE_MS)
    expect(heardMs(clock, 'COIN')).toBe(MINUTE_MS)
  })

  test('stands still while nothing is', () => {
    const clock = openClock(OPEN_MS)
    passTime(clock, OPEN_MS + 60 * MINUTE_MS)
    expect(heardMs(clock, 'COIN')).toBe(30 * SECOND_MS)
  })

  test('stands still for shares at night, while coins go on', () => {
    const eveningMs = Date.UTC(2026, 10, 19, 21)
    const clock = openClock(eveningMs)
    for (let timeMs = eveningMs; timeMs <= OPEN_MS; timeMs += 10 * SECOND_MS) passTime(clock, timeMs)
    expect(heardMs(clock, 'US')).toBe(10 * SECOND_MS)
    expect(heardMs(clock, 'COIN')).toBe(OPEN_MS - eveningMs)
  })

  test('that was set by a lie is set right by those who tell the truth', () => {
    const clock = openClock(OPEN_MS)
    passTime(clock, Date.UTC(2100, 0, 1))
    for (let i = 0; i < 1_100; i++) passTime(clock, OPEN_MS + i * SECOND_MS)
    expect(clock.watermarkMs).toBe(OPEN_MS + 1_099 * SECOND_MS)
  })
})
