// One program, many roles. Without a role everything runs in this process, on embedded backends where none are configured.
import { parseArgs } from 'node:util'
import { PlatformError } from './domain/errors.ts'
import type { Instrument } from './domain/instrument.ts'
import type { Gateway } from './gateway/gateway.ts'
import { pingSubgraph, remoteSubgraph } from './gateway/remote-subgraph.ts'
import type { SubgraphPlace } from './gateway/subgraph-executor.ts'
import { runIngest } from './ingest/ingest.ts'
import type { Choice } from './ingest/live.ts'
import { reportLines } from './ingest/report/replay-report.ts'
import type { Source } from './ingest/source.ts'
import type { SourceStatus } from './ingest/source-status.ts'
import { replaySource, wasPlayed } from './ingest/sources/replay/replay.ts'
import { simulatedSource } from './ingest/sources/simulated/simulated.ts'
import { type OpenBus, openBus, openPubSub, openStore, type Surroundings } from './platform/backends.ts'
import { systemClock } from './platform/clock.ts'
import { type Config, type Needed, readConfig } from './platform/config.ts'
import { Watchers } from './platform/graphql/watchers.ts'
import { Health, startOpsServer } from './platform/health.ts'
import { runUntilStopped } from './platform/lifecycle.ts'
import { type Log, openLog } from './platform/log.ts'
import { openMetrics } from './platform/metrics.ts'
import type { PubSub } from './platform/pubsub/pubsub.ts'
import type { Database } from './platform/store/database.ts'
import { DeadLetters } from './platform/store/dead-letters.ts'
import { SEED_AS_OF_MS, SEED_INSTRUMENTS } from './platform/store/instrument-seed.ts'
import { Instruments } from './platform/store/instruments.ts'
import { SourceCheckpoints } from './platform/store/source-checkpoints.ts'
import { SourceLocks } from './platform/store/source-locks.ts'
import { SymbolInterestStore } from './platform/store/symbol-interest.ts'
import { PROCESSORS, startProcessors } from './processors/processors.ts'
import { buildSubgraphNamed, SUBGRAPHS, type SubgraphName, type SubgraphSources } from './subgraphs/subgraphs.ts'

const USAGE = `npm start                                everything in one process, with a simulated market
npm start -- --replay FILE [options]     everything in one process, playing a recorded tape (CSV or CSV.gz)
npm start -- --live                      everything in one process, with real data: every source that needs no key, or has one
npm start -- ROLE                        ingest | processor [${PROCESSORS.join(' | ')}] | subgraph ${SUBGRAPHS.join(' | ')} | gateway

  --live               read the sources of docs/sources/ in place of the simulated market
  --sources A,B        only these of them
  --replay FILE        play this tape; columns by name: time, symbol, price, size
  --speed N|max        N times as fast as it happened (default 1), or as fast as it can be stored (max)
  --exit-when-done     stop when the whole tape is stored, and report what became of it
  --summary json       the last line on standard output is the report as one JSON object
  --help

Settings come from the environment: .env.example lists them.`

type Role = 'all' | 'ingest' | 'processor' | 'subgraph' | 'gateway'

/** What is large and not for every run. A role that does without is loaded in a third of the time. */
const load = {
  gateway: () => import('./gateway/gateway.ts'),
  live: () => import('./ingest/live.ts'),
  playTape: () => import('./ingest/report/play-tape.ts'),
  serveSubgraph: () => import('./platform/graphql/serve-subgraph.ts'),
}

const NEEDS: Record<Role, readonly Needed[]> = {
  all: [],
  ingest: ['KAFKA_BROKERS', 'DATABASE_URL'],
  processor: ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL'],
  subgraph: ['DATABASE_URL', 'REDIS_URL'],
  gateway: ['MARKET_SUBGRAPH_URL', 'NEWS_SUBGRAPH_URL'],
}
const PORTS: Record<Role, number> = { all: 4000, gateway: 4000, subgraph: 4001, ingest: 4002, processor: 4003 }
const SUBGRAPH_PORTS: Record<SubgraphName, number> = { market: PORTS.subgraph, news: 4004 }

interface Arguments {
  readonly role: Role
  /** Which processor, all of them where none is named; which subgraph. */
  readonly which?: string
  readonly live: boolean
  readonly sources: readonly string[]
  readonly replay?: string
  readonly speed: number | 'max'
  readonly exitWhenDone: boolean
  readonly summary?: string
}

function readArguments(argv: readonly string[]): Arguments | undefined {
  const { values, positionals } = parse(argv)
  if (values.help) return undefined
  const [role = 'all', which, ...rest] = positionals
  if (!(role in NEEDS)) throw wrong(`There is no role ${role}`)
  const names: readonly string[] = role === 'processor' ? PROCESSORS : role === 'subgraph' ? SUBGRAPHS : []
  if (rest.length > 0 || (which !== undefined && !names.includes(which)))
    throw wrong(
      `Role ${role} knows no ${[which, ...rest].join(' ')}${names.length > 0 ? `; there is ${names.join(', ')}` : ''}`,
    )
  if (role === 'subgraph' && which === undefined)
    throw wrong(`Role subgraph needs to know which; there is ${names.join(', ')}`)
  const speed = values.speed === 'max' ? 'max' : Number(values.speed ?? 1)
  if (speed !== 'max' && !(speed > 0)) throw wrong(`--speed must be a number above 0, or max, was ${values.speed}`)
  if (values.summary !== undefined && values.summary !== 'json')
    throw wrong(`--summary must be json, was ${values.summary}`)
  const ofReplay = values['exit-when-done'] || values.speed !== undefined || values.summary !== undefined
  if (values.replay === undefined && ofReplay)
    throw wrong('--speed, --exit-when-done and --summary go with --replay FILE')
  const live = values.live ?? false
  if (live && values.replay !== undefined) throw wrong('--live and --replay exclude each other')
  if (!live && values.sources !== undefined) throw wrong('--sources goes with --live')
  if ((live || values.replay !== undefined) && role !== 'all' && role !== 'ingest')
    throw wrong(`--live and --replay are for everything in one process and for role ingest, not for ${role}`)
  return {
    role: role as Role,
    live,
    sources: (values.sources ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
    speed,
    exitWhenDone: values['exit-when-done'] ?? false,
    ...(which !== undefined && { which }),
    ...(values.replay !== undefined && { replay: values.replay }),
    ...(values.summary !== undefined && { summary: values.summary }),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        live: { type: 'boolean' },
        sources: { type: 'string' },
        replay: { type: 'string' },
        speed: { type: 'string' },
        'exit-when-done': { type: 'boolean' },
        summary: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
}

const wrong = (problem: string) => new PlatformError('INVALID_ARGUMENT', `${problem}\n\n${USAGE}`)

/** Lines for the person at the terminal. The log is on standard error. */
const say = (...lines: string[]) => process.stdout.write(`${lines.join('\n')}\n`)

/** What is read: one source whose end is the run's, or vendors that are kept apart. */
interface Reading {
  readonly source?: Source
  readonly vendors?: Choice
}

async function startRole(args: Arguments, around: Surroundings, { source, vendors }: Reading): Promise<void> {
  if (args.role === 'gateway') return void (await startEdge(around))
  // While the database starts.
  if (args.role === 'all') void load.gateway()
  const database = await openStore(around)
  // Before anybody is answered: of what is not listed nobody could listen to the first tick.
  await new Instruments(database).add(SEED_INSTRUMENTS, SEED_AS_OF_MS)
  const subgraph = SUBGRAPHS.find((name) => args.role === 'subgraph' && args.which === name)
  if (subgraph)
    return startSubgraph(subgraph, around, await openGraphSources(around, database, await openPubSub(around)))
  const bus = await openBus(around, database)
  if (args.role === 'ingest') {
    await startOps(around, 'ingest')
    if (vendors) return startVendors(around, database, bus, vendors)
    return source && startIngest(args, around, database, bus, source)
  }
  const pubsub = await openPubSub(around)
  const names = PROCESSORS.filter((name) => args.role === 'all' || args.which === undefined || args.which === name)
  await startProcessing(around, database, bus, pubsub, names)
  if (args.role === 'processor') return startOps(around, 'processor')
  const gateway = await startEdge(around, await openGraphSources(around, database, pubsub))
  if (vendors) await startVendors(around, database, bus, vendors)
  if (source) await startIngest(args, around, database, bus, source, gateway)
}

async function openReading(args: Arguments, config: Config, log: Log): Promise<Reading> {
  if (args.role !== 'all' && args.role !== 'ingest') return {}
  return args.live
    ? { vendors: (await load.live()).choose(config, args.sources) }
    : { source: await openSource(args, config, log) }
}

async function openSource(args: Arguments, config: Config, log: Log): Promise<Source> {
  if (args.replay !== undefined) return replaySource({ file: args.replay, speed: args.speed, clock: systemClock })
  return simulatedSource({
    seed: config.SIMULATED_SEED,
    ticksPerSecond: config.SIMULATED_TICKS_PER_SECOND,
    marketHours: config.SIMULATED_MARKET_HOURS,
    clock: systemClock,
    log,
  })
}

async function startProcessing(
  { config, lifecycle, log, metrics }: Surroundings,
  database: Database,
  { bus, codec }: OpenBus,
  pubsub: PubSub,
  names: readonly (typeof PROCESSORS)[number][],
): Promise<void> {
  const publish: PubSub['publish'] = (channel, key, event) => pubsub.publish(channel, key, event)
  const onFatal = (error: Error) => lifecycle.fail('processors', error)
  await lifecycle.start('processors', () =>
    startProcessors(
      names,
      { bus, codec, database, publish, clock: systemClock, log, metrics, onFatal },
      {
        lanes: config.PROCESSOR_LANES,
        batchSizeMax: config.PROCESSOR_RECORDS_MAX,
        idleAfterMs: config.PROCESSOR_IDLE_AFTER_MS,
      },
    ),
  )
}

/** What subgraphs of this process answer from. */
async function openGraphSources(around: Surroundings, database: Database, pubsub: PubSub): Promise<SubgraphSources> {
  const { lifecycle, log, metrics } = around
  const store = new SymbolInterestStore(database)
  const watchers = await lifecycle.start(
    'watchers',
    async () => new Watchers({ store, clock: systemClock, metrics, log }),
  )
  return { database, pubsub, watchers, clock: systemClock, metrics }
}

async function startSubgraph(name: SubgraphName, around: Surroundings, from: SubgraphSources): Promise<void> {
  const { config, lifecycle, log, metrics, health } = around
  const subgraph = await buildSubgraphNamed(name, from)
  const port = config.PORT ?? SUBGRAPH_PORTS[name]
  const { serveSubgraph } = await load.serveSubgraph()
  const served = await lifecycle.start(`subgraph ${name}`, () =>
    serveSubgraph({ subgraph, host: config.HOST, port, health, metrics, log }),
  )
  say(`subgraph ${name.padEnd(8)} ${served.url}`)
}

/** The gateway, with the subgraphs in this process unless the configuration says where they are. */
async function startEdge(around: Surroundings, from?: SubgraphSources): Promise<Gateway> {
  const { config, lifecycle, log, metrics, health } = around
  const places = await Promise.all(SUBGRAPHS.map(async (name) => [name, await placeOf(name, around, from)] as const))
  const { startGateway } = await load.gateway()
  const gateway = await lifecycle.start('gateway', () =>
    startGateway({
      host: config.HOST,
      port: config.PORT ?? PORTS.gateway,
      subgraphs: Object.fromEntries(places),
      health,
      metrics,
      log,
      origins: config.CORS_ORIGINS,
      introspection: config.INTROSPECTION,
      limits: {
        socketsMax: config.GATEWAY_SOCKETS_MAX,
        subscriptionsMax: config.GATEWAY_SUBSCRIPTIONS_MAX,
        subscriptionsPerSocketMax: config.GATEWAY_SUBSCRIPTIONS_PER_SOCKET_MAX,
      },
    }),
  )
  say(`GraphQL           ${gateway.url.replace('127.0.0.1', 'localhost')}   (open it in a browser)`)
  return gateway
}

async function placeOf(
  name: SubgraphName,
  { config, health }: Surroundings,
  from: SubgraphSources | undefined,
): Promise<SubgraphPlace> {
  const url = { market: config.MARKET_SUBGRAPH_URL, news: config.NEWS_SUBGRAPH_URL }[name]
  if (url === undefined && from) {
    const { sdl, schema } = await buildSubgraphNamed(name, from)
    return { kind: 'local', sdl, schema }
  }
  if (url === undefined) throw new PlatformError('INVALID_CONFIG', `Nobody has said where the subgraph ${name} is`)
  health.addCheck(`subgraph ${name}`, () => pingSubgraph(name, url))
  return remoteSubgraph(name, url)
}

async function startOps({ config, lifecycle, health, metrics }: Surroundings, role: Role): Promise<void> {
  const server = await lifecycle.start('operations endpoints', () =>
    startOpsServer({ host: config.HOST, port: config.PORT ?? PORTS[role], health, metrics }),
  )
  say(`operations        http://${config.HOST}:${server.port}/ready`)
}

async function startIngest(
  args: Arguments,
  { lifecycle, log, metrics }: Surroundings,
  database: Database,
  { bus, codec }: OpenBus,
  source: Source,
  gateway?: Gateway,
): Promise<void> {
  const instruments = new Instruments(database)
  const checkpoints = new SourceCheckpoints(database)
  await lifecycle.start(`lock of ${source.name}`, () => new SourceLocks(database).lock(source.name))
  const deadLetters = new DeadLetters(database.pool)
  const run = { bus, codec, checkpoints, deadLetters, clock: systemClock, log, metrics, signal: lifecycle.signal }
  const ingest = (from: Source) => runIngest({ ...run, source: from })
  await lifecycle.start('ingest', async () => {
    const running = args.replay === undefined ? ingest(source) : play()
    const ended = running.then(
      () => undefined,
      (error: unknown) => lifecycle.fail('ingest', error),
    )
    return { [Symbol.asyncDispose]: () => ended }
  })

  async function play(): Promise<void> {
    if (wasPlayed(await checkpoints.load(source.name)))
      say('note              this tape was played to its end before: what is stored is not stored or told again')
    const { playTape } = await load.playTape()
    const report = await playTape({ ...run, source, ingest, database, instruments, gatewayUrl: gateway?.url })
    if (lifecycle.signal.aborted) return
    say('', ...reportLines(report), ...(args.summary === 'json' ? [JSON.stringify(report)] : []))
    if (args.exitWhenDone) lifecycle.finish()
  }
}

async function startVendors(
  { config, lifecycle, health, log, metrics }: Surroundings,
  database: Database,
  { bus, codec }: OpenBus,
  { read, unread }: Choice,
): Promise<void> {
  const instruments = new Instruments(database)
  for (const [name, why] of unread) say(`${name.padEnd(17)} not read: ${why}`)
  const describe = (described: readonly Instrument[]) => instruments.refresh(described)
  const { startLive } = await load.live()
  const live = await lifecycle.start('ingest', async () =>
    startLive({
      config,
      database,
      bus,
      codec,
      vendors: read,
      describe,
      clock: systemClock,
      log,
      metrics,
      onStatus: sayStatus,
    }),
  )
  health.addDetail('sources', () => live.status())
}

/** Once per change of state: a vendor that is away is said once. */
function sayStatus({ source, state, reason, lacks }: SourceStatus, before: SourceStatus | undefined): void {
  if (lacks !== undefined && lacks !== before?.lacks) say(`${source.padEnd(17)} read without its ${lacks}`)
  if (state === before?.state || state === 'starting') return
  say(`${source.padEnd(17)} ${reason === undefined ? state : `${state}: ${reason}`}`)
}

function banner(args: Arguments, { config }: Surroundings): void {
  if (args.role !== 'all') return
  const backends = [
    config.KAFKA_BROKERS ? `Kafka ${config.KAFKA_BROKERS.join(',')}` : 'in-process bus',
    config.REDIS_URL ? 'Redis' : 'in-process pubsub',
    config.DATABASE_URL ? 'PostgreSQL' : `embedded PostgreSQL in ${config.DATA_DIR}/`,
  ]
  say(
    'Investor Updates',
    `runs on           ${backends.join(', ')}`,
    args.live
      ? `data              real, for ${config.AUDIENCE === 'public' ? 'the public' : 'your own use'}; docs/sources/ says what may be done with it`
      : args.replay === undefined
        ? `data              SIMULATED market, ${config.SIMULATED_TICKS_PER_SECOND} ticks/s. None of these prices are real.`
        : `data              recorded tape ${args.replay}, speed ${args.speed}`,
  )
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2))
  if (!args) {
    say(USAGE)
    return
  }
  const config = readConfig(process.env, NEEDS[args.role])
  const log = openLog(config.LOG_LEVEL)
  // The gateway's runtime reads a variable of the same name, and refuses levels that it does not know.
  delete process.env.LOG_LEVEL
  // Before anything starts: a tape that cannot be played is said at once.
  const reading = await openReading(args, config, log)
  const metrics = openMetrics()
  metrics.collectProcess()
  await runUntilStopped(
    async (lifecycle) => {
      const health = new Health({ log })
      lifecycle.signal.addEventListener('abort', () => health.startDraining(), { once: true })
      const around: Surroundings = { config, lifecycle, log, metrics, health }
      banner(args, around)
      await startRole(args, around, reading)
      if (args.role === 'all') say('stop with         Ctrl-C', '')
    },
    { log, stopLimitMs: config.SHUTDOWN_LIMIT_MS },
  )
}

// What was expected to go wrong is one sentence; anything else is a bug and shows where.
await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof PlatformError ? error.message : ((error as Error)?.stack ?? error)}\n`)
  process.exit(1)
})
