// npm run compose: writes what the code makes of the graph. With --check it only says where the committed files differ.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../platform/clock.ts'
import { Watchers } from '../platform/graphql/watchers.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { MemoryPubSub } from '../platform/pubsub/memory-pubsub.ts'
import { buildMarket } from '../subgraphs/market/market.ts'
import { buildNews } from '../subgraphs/news/news.ts'
import { compose } from './compose.ts'

const files = await graphFiles()
const stale = Object.keys(files).filter((path) => read(path) !== files[path])

if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path} is not what the code makes of it: run npm run compose`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const path of stale) writeFileSync(fromRoot(path), files[path])
  console.log(stale.length === 0 ? 'Nothing has changed' : `Wrote ${stale.join(', ')}`)
}

async function graphFiles(): Promise<Record<string, string>> {
  const metrics = openMetrics()
  await using pubsub = new MemoryPubSub({ metrics, log: silentLog })
  const unasked = () => Promise.reject(new Error('Only the schema is printed, nothing is resolved'))
  const store = {
    find: unasked,
    page: unasked,
    search: unasked,
    latest: unasked,
    pagesBySymbol: unasked,
    hold: unasked,
  }
  await using watchers = new Watchers({ store, clock: systemClock, metrics, log: silentLog })
  const around = { pubsub, watchers, clock: systemClock, metrics }
  const market = await buildMarket({
    ...around,
    instruments: store,
    quotes: store,
    bars: store,
    updatePlan: store,
    series: store,
    observations: store,
    releases: store,
    dataQuality: store,
  })
  const news = await buildNews({ ...around, articles: store, instruments: store })
  const { supergraph, schema } = compose([market, news])
  return {
    'subgraphs/market/schema.graphql': market.sdl,
    'subgraphs/news/schema.graphql': news.sdl,
    'gateway/supergraph.graphql': supergraph,
    'schema.graphql': schema,
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(fromRoot(path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}
