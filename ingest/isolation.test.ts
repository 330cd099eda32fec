import { expect, test } from 'vitest'
import type { Fault } from '../tests/support/vendors/faults.ts'
import { QuickVendor } from '../tests/support/vendors/quick-vendor.ts'

/** How many more prices have to come while the other vendor is ill. */
const PRICES = 30
const EVERY_MS = 10

const ILLNESSES: Record<string, Fault> = {
  'is dead': { kind: 'reset' },
  hangs: { kind: 'hang' },
  'answers drop by drop': { kind: 'drip', everyMs: 50 },
  'is down': { kind: 'status', status: 503 },
  'shows a page': { kind: 'html' },
  'lies about types': { kind: 'wrong-types' },
  'ends in the middle': { kind: 'truncated' },
}

test.each(Object.entries(ILLNESSES))('while one vendor %s, the other is asked and told on', async (_what, fault) => {
  await using well = await QuickVendor.start('newsapi', EVERY_MS)
  await using ill = await QuickVendor.start('finnhub', EVERY_MS)
  await expect.poll(() => Math.min(well.tookMs.length, ill.tookMs.length)).toBeGreaterThan(0)
  ill.server.fail(fault)
  await expect.poll(() => ill.server.failed).toBeGreaterThan(0)
  const [wellBefore, illBefore] = [well.tookMs.length, ill.tookMs.length]
  await expect.poll(() => well.tookMs.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(wellBefore + PRICES)
  // One that was on its way may still have come.
  expect(ill.tookMs.length).toBeLessThanOrEqual(illBefore + 1)
})

test('a vendor that is well again is told on', async () => {
  await using vendor = await QuickVendor.start('finnhub', EVERY_MS)
  await expect.poll(() => vendor.tookMs.length).toBeGreaterThan(0)
  vendor.server.fail({ kind: 'status', status: 503 })
  await expect.poll(() => vendor.server.failed).toBeGreaterThan(0)
  const before = vendor.tookMs.length
  vendor.server.mend()
  await expect.poll(() => vendor.tookMs.length, { timeout: 8_000 }).toBeGreaterThan(before + 1)
})
