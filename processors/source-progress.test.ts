import { describe, expect, test } from 'vitest'
import { OUT_OF_ORDER_MAX_MS, SOURCES_MAX, SourceProgress } from './source-progress.ts'

describe('The progress of sources in a partition', () => {
  test('a position that was seen, or that lies before one that was, is a duplicate', () => {
    const progress = new SourceProgress()
    expect(progress.admit('tape', 3, 1_000, 0)).toBe(true)
    expect(progress.admit('tape', 3, 1_000, 0)).toBe(false)
    expect(progress.admit('tape', 2, 9_000, 0)).toBe(false)
    expect(progress.admit('tape', 5, 1_000, 0)).toBe(true)
  })

  test('each source counts for itself', () => {
    const progress = new SourceProgress()
    progress.admit('tape', 3, 1_000, 0)
    expect(progress.admit('live', 0, 1_000, 0)).toBe(true)
  })

  test('a source that does not count never tells a duplicate', () => {
    const progress = new SourceProgress()
    progress.admit('crowd', -1, 1_000, 0)
    expect(progress.admit('crowd', -1, 1_000, 0)).toBe(true)
  })

  test('its watermark follows the newest event time and never goes back', () => {
    const progress = new SourceProgress()
    progress.admit('tape', 0, 60_000, 0)
    progress.admit('tape', 1, 30_000, 0)
    expect(progress.watermarkMs('tape')).toBe(60_000 - OUT_OF_ORDER_MAX_MS)
    progress.follow('tape', 10_000)
    expect(progress.watermarkMs('tape')).toBe(60_000 - OUT_OF_ORDER_MAX_MS)
  })

  test('a duplicate does not move the watermark', () => {
    const progress = new SourceProgress()
    progress.admit('tape', 4, 60_000, 0)
    progress.admit('tape', 4, 90_000, 0)
    expect(progress.watermarkMs('tape')).toBe(60_000 - OUT_OF_ORDER_MAX_MS)
  })

  test('it goes on from what was stored', () => {
    const before = new SourceProgress()
    before.admit('tape', 4, 60_000, 17)
    const after = new SourceProgress(before.snapshot())
    expect(after.admit('tape', 4, 60_000, 18)).toBe(false)
    expect(after.snapshot().get('tape')).toEqual({ position: 4, watermarkMs: 55_000, seenAtMs: 17 })
  })

  test('when there are too many sources the one with the oldest watermark leaves', () => {
    const progress = new SourceProgress()
    for (let i = 0; i < SOURCES_MAX; i++) progress.admit(`source-${i}`, 0, 1_000_000 - i, 0)
    progress.admit('one more', 0, 0, 0)
    expect(progress.snapshot().size).toBe(SOURCES_MAX)
    expect(progress.has(`source-${SOURCES_MAX - 1}`)).toBe(false)
    expect(progress.admit('one more', 0, 0, 0)).toBe(false)
  })
})
