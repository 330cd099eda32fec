import { describe, expect, test } from 'vitest'
import { NEVER_MS } from './average.ts'
import { judgeOrder, ORDER_RULE, type OrderMemory } from './order.ts'

const { allowanceMs, cooldownMs, lateRunMax } = ORDER_RULE
const memoryAt = (newestMs: number): OrderMemory => ({ newestMs, lateRun: 0, lateToldMs: NEVER_MS })

describe('A print is out of order', () => {
  test('only where it is older than the newest by more than is allowed', () => {
    const memory = memoryAt(1_000_000)
    expect(judgeOrder(memory, 1_000_000 - allowanceMs)).toBe('in order')
    expect(judgeOrder(memory, 1_000_000 - allowanceMs - 1)).toBe('late')
  })

  test('and so are those after it, which are not told until time has passed', () => {
    const memory = memoryAt(1_000_000)
    expect([900_000, 900_001, 900_002].map((timeMs) => judgeOrder(memory, timeMs))).toEqual([
      'late',
      'late, not told',
      'late, not told',
    ])
    memory.newestMs += cooldownMs
    expect(judgeOrder(memory, 900_003)).toBe('late')
  })

  test('but not where all are: then the newest was wrong', () => {
    const memory = memoryAt(Date.UTC(2100, 0, 1))
    const judged = Array.from({ length: lateRunMax }, (_, i) => judgeOrder(memory, 1_000_000 + i))
    expect(judged.slice(0, -1).filter((each) => each === 'late')).toHaveLength(1)
    expect(judged.at(-1)).toBe('restart')
  })

  test('and one in order ends the run of late ones', () => {
    const memory = memoryAt(1_000_000)
    for (let i = 0; i < 3 * lateRunMax; i++) expect(judgeOrder(memory, i % 2 === 0 ? 1_000_000 : 0)).not.toBe('restart')
  })
})
