import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], extra = {}) => ({
  extends: true as const,
  test: { name, include, testTimeout: 10_000, ...extra },
})

// They wait now and then, so two at a time are faster than one, also where there is one core.
const together = { maxWorkers: Math.max(2, availableParallelism()) }

// Chaos kills servers that the others share, so nothing runs beside it.
const alone = {
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  globalSetup: ['tests/support/postgres-setup.ts'],
}

// Their servers, or their names on the shared ones, are their own, and most of the time they wait: three at a time.
const apart = { ...alone, fileParallelism: true, maxWorkers: 3, sequence: { groupOrder: 2 } }
/** Suites whose clock runs hundreds of times faster than the wall, so that a busy machine looks like a slow network. */
const FAST_CLOCKS = ['polled-sources', 'streamed-sources', 'alpha-vantage-budget'].map(
  (name) => `tests/contract/${name}.test.ts`,
)
/** Suites that stop and kill servers, for which they start their own. */
const OWN_SERVERS = ['tests/contract/kafka-*.test.ts', 'tests/contract/pubsub-redis-outage.test.ts']

export default defineConfig({
  // Vite would resolve graphql's .mjs build, type-graphql under Node the .js one: two realms, and every instanceof fails.
  resolve: { alias: { graphql: 'graphql/index.js' } },
  test: {
    projects: [
      project(
        'unit',
        ['{domain,platform,ingest,processors,subgraphs,gateway}/**/*.test.ts', 'tests/*.test.ts'],
        together,
      ),
      project('vendors', FAST_CLOCKS, { ...apart, globalSetup: [], maxWorkers: 2, sequence: { groupOrder: 1 } }),
      // Of a group they begin in the order of their names: not with the longest at the end, which would run alone.
      project('backends', OWN_SERVERS, { ...apart, globalSetup: [] }),
      project('contract', ['tests/contract/**/*.test.ts'], { ...apart, exclude: [...FAST_CLOCKS, ...OWN_SERVERS] }),
      project('e2e', ['tests/e2e/**/*.test.ts'], apart),
      project('chaos', ['tests/chaos/**/*.test.ts'], { ...alone, testTimeout: 600_000 }),
    ],
  },
})
