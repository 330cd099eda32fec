import { describe, expect, test } from 'vitest'
import { NEVER_MS } from './average.ts'
import { JUMP_RULE, type Jump, judgeMove, type MoveMemory } from './jump.ts'

const SECOND_MS = 1_000
const memoryAt = (price: number): MoveMemory => ({
  price,
  newestMs: 0,
  moves: 0,
  usualMove: 0,
  usualGapMs: SECOND_MS,
  jumpToldMs: NEVER_MS,
})

/** One print after the other; answers what was found at which of them. */
function judge(memory: MoveMemory, prints: readonly [timeMs: number, price: number][]): [number, Jump][] {
  return prints.flatMap(([timeMs, price], i) => {
    const jump = judgeMove(memory, price, timeMs)
    memory.price = price
    memory.newestMs = Math.max(memory.newestMs, timeMs)
    return jump ? [[i, jump]] : []
  })
}

/** Up and down by a cent, second by second. */
const calm = (count: number, price: number, fromMs = 0): [number, number][] =>
  Array.from({ length: count }, (_, i) => [fromMs + (i + 1) * SECOND_MS, price + (i % 2) / 100])

describe('A jump', () => {
  test('is a move of many times the usual one', () => {
    const memory = memoryAt(100)
    expect(judge(memory, calm(100, 100))).toEqual([])
    const [[at, jump]] = judge(memory, [[101 * SECOND_MS, 101]])
    expect(at).toBe(0)
    expect(jump).toMatchObject({ fromPrice: 100.01, isSuppressed: false })
    expect(jump.move).toBeCloseTo(Math.log(101 / 100.01), 10)
    expect(jump.usual).toBeCloseTo(0.0001, 5)
  })

  test('is none while too little is known of the symbol', () => {
    const memory = memoryAt(100)
    judge(memory, calm(JUMP_RULE.warmUpMoves - 1, 100))
    expect(judge(memory, [[3_600_000, 150]])).toEqual([])
  })

  test('is none where the price usually stands still and moves by a little', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    expect(judge(memory, [[101 * SECOND_MS, 100.25]])).toEqual([])
  })

  test('is none where such moves are usual', () => {
    const memory = memoryAt(1)
    const prints = Array.from({ length: 200 }, (_, i): [number, number] => [i * SECOND_MS, 1 + (i % 2) / 100])
    expect(judge(memory, prints)).toEqual([])
    expect(judge(memory, [[201 * SECOND_MS, 1.06]])).toEqual([])
  })

  test('is none over a night, because much may happen in one', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    expect(judge(memory, [[17 * 3_600_000, 101.5]])).toEqual([])
  })

  test('there and back is one, and the way back is counted', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    const found = judge(memory, [
      [101 * SECOND_MS, 110],
      [102 * SECOND_MS, 100],
    ])
    expect(found.map(([, { isSuppressed }]) => isSuppressed)).toEqual([false, true])
  })

  test('to another level is told once, however long it stays there', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    expect(judge(memory, calm(5_000, 120, 100 * SECOND_MS))).toHaveLength(1)
  })

  test('is what a source that jumps all the time soon does usually', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    const flapping = Array.from({ length: 5_000 }, (_, i): [number, number] => [
      (100 + i * 61) * SECOND_MS,
      i % 2 === 0 ? 130 : 100,
    ])
    const found = judge({ ...memory, usualGapMs: 61 * SECOND_MS }, flapping)
    expect(found.length).toBeLessThan(100)
    expect(found.every(([at]) => at < 100)).toBe(true)
  })

  test('hardly changes what is usual, so the next one is found as well', () => {
    const memory = memoryAt(100)
    judge(memory, calm(100, 100))
    const before = memory.usualMove
    judge(memory, [[101 * SECOND_MS, 150]])
    expect(memory.usualMove / before).toBeLessThan(1.1)
    const found = judge(memory, [...calm(200, 150, 101 * SECOND_MS), [302 * SECOND_MS, 152]])
    expect(found).toHaveLength(1)
  })
})
