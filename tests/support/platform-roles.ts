import { randomUUID } from 'node:crypto'
import { emptyDatabase } from './database.ts'
import { type PlatformProcess, startPlatform } from './platform-process.ts'
import { openStored, type Stored } from './stored.ts'

/** One platform on real servers, as processes of `main.ts` that each play one role. */
export interface PlatformRoles extends AsyncDisposable {
  /** Its own topics, channels and tables: nobody else's are met. */
  readonly environment: Readonly<Record<string, string>>
  readonly stored: Stored
  /** A process of this role, e.g. `['processor', 'ticks']`; resolves when it is ready. */
  start(args: readonly string[], extra?: Readonly<Record<string, string>>): Promise<PlatformProcess>
  /** Subgraph and gateway, for whoever asks and listens. */
  startEdge(): Promise<{ readonly subgraph: PlatformProcess; readonly gateway: PlatformProcess }>
}

const { KAFKA_BROKERS, REDIS_URL, SCHEMA_REGISTRY_URL } = process.env

/** The real servers, each time under names of its own; undefined where the environment does not say where they are. */
export const realBackends =
  KAFKA_BROKERS && REDIS_URL
    ? (): Record<string, string> => {
        const own = `e2e-${randomUUID().slice(0, 8)}`
        return {
          KAFKA_BROKERS,
          KAFKA_PREFIX: `${own}.`,
          REDIS_URL,
          PUBSUB_PREFIX: own,
          ...(SCHEMA_REGISTRY_URL && { SCHEMA_REGISTRY_URL }),
        }
      }
    : undefined

export async function openRoles(backends: Readonly<Record<string, string>>): Promise<PlatformRoles> {
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await emptyDatabase())
  const stored = opening.use(await openStored('', database.url))
  const environment = { ...backends, DATABASE_URL: database.url }
  const processes: PlatformProcess[] = []
  opening.defer(async () => void (await Promise.all(processes.map((each) => each[Symbol.asyncDispose]()))))
  const start = async (args: readonly string[], extra: Readonly<Record<string, string>> = {}) => {
    const started = await startPlatform(args, { ...environment, ...extra })
    processes.push(started)
    await started.ready()
    return started
  }
  const opened = opening.move()
  return {
    environment,
    stored,
    start,
    async startEdge() {
      const subgraph = await start(['subgraph', 'market'])
      return { subgraph, gateway: await start(['gateway'], { MARKET_SUBGRAPH_URL: subgraph.url }) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
