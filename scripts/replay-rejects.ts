// Reads once more what a source told and could not be read when it did, after its parser was mended. docs/runbook.md
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PlatformError } from '../domain/errors.ts'
import { toldTo } from '../ingest/audience.ts'
import type { SourceContext, VendorSource } from '../ingest/catalogue.ts'
import { sourceSettings } from '../ingest/live.ts'
import { type ReplayOfFeed, replayRejects } from '../ingest/reject-replay.ts'
import type { Source } from '../ingest/source.ts'
import { VENDOR_SOURCES } from '../ingest/vendors.ts'
import { openCodec } from '../platform/bus/codec.ts'
import { ConfluentSchemaRegistry } from '../platform/bus/confluent-schema-registry.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { systemClock } from '../platform/clock.ts'
import { type Config, readConfig } from '../platform/config.ts'
import { openLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { openDatabase } from '../platform/store/database.ts'
import { DeadLetters } from '../platform/store/dead-letters.ts'
import { PutAsideLetters } from '../platform/store/put-aside.ts'

const USAGE = `npm run replay-rejects -- SOURCE [--feed NAME] [--dry-run]

  SOURCE        ${VENDOR_SOURCES.map(({ name }) => name).join(' | ')}
  --feed NAME   only what this feed of it told
  --dry-run     say what could be read now, and change nothing

What can be read now goes to its topic through the outbox: a running processor carries it there.
The database is that of DATABASE_URL, else the embedded one of DATA_DIR while the platform runs.`

const wrong = (problem: string) => new PlatformError('INVALID_ARGUMENT', `${problem}\n\n${USAGE}`)

interface Arguments {
  readonly vendor: VendorSource
  readonly feed?: string
  readonly dryRun: boolean
}

function readArguments(argv: readonly string[]): Arguments | undefined {
  const { values, positionals } = parse(argv)
  if (values.help) return undefined
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw wrong('Name one source')
  const vendor = VENDOR_SOURCES.find((known) => known.name === name)
  if (!vendor) throw wrong(`There is no source ${name} with feeds. Rows of tapes are mended in the tape`)
  return { vendor, dryRun: values['dry-run'] ?? false, ...(values.feed !== undefined && { feed: values.feed }) }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { feed: { type: 'string' }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } },
    })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
}

/** The embedded PostgreSQL belongs to the platform that runs it; we only visit. */
function databaseUrl({ DATABASE_URL, DATA_DIR }: Config): string {
  if (DATABASE_URL !== undefined) return DATABASE_URL
  const [password, port] = ['password', 'port'].map((name) => {
    const file = join(DATA_DIR, 'postgres', name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  })
  if (password === '' || port === '')
    throw new PlatformError(
      'INVALID_CONFIG',
      `There is no embedded database in ${DATA_DIR}: set DATABASE_URL, or DATA_DIR to the folder of the running platform`,
    )
  return `postgresql://investor:${encodeURIComponent(password)}@127.0.0.1:${port}/investor_updates`
}

/** To read what was put aside nobody is asked: no key is needed, and nothing is told but what is read. */
function openedToReparse(vendor: VendorSource, config: Config): Source {
  const settings = sourceSettings(config)
  const unneeded = Object.fromEntries(vendor.needs.map((name) => [name, 'nobody@example.com']))
  const metrics = openMetrics()
  const context: SourceContext = {
    settings: { ...settings, variables: { ...unneeded, ...settings.variables } },
    clock: systemClock,
    log: openLog(config.LOG_LEVEL),
    metrics,
    quotas: { load: async () => undefined, save: async () => {} },
    interest: { current: () => new Map() },
    describe: async () => {},
    tellPlan: () => {},
    tellTrouble: () => {},
    tellLack: () => {},
  }
  return toldTo(config.AUDIENCE, vendor.open(context), metrics)
}

function reportLines(feeds: readonly ReplayOfFeed[], { vendor, dryRun }: Arguments): string[] {
  if (feeds.length === 0) return [`${vendor.name}: nothing is put aside that was not replayed before`]
  return feeds.flatMap(({ feed, letters, replayed, facts, reasons }) => [
    `${vendor.name} ${feed ?? '(no feed)'}: of ${letters} put aside ${replayed} ${dryRun ? 'could be read' : 'replayed'}, ${facts} facts`,
    ...[...reasons].map(([reason, count]) => `  ${count} not: ${reason}`),
  ])
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2))
  if (!args) return console.log(USAGE)
  const config = readConfig(process.env)
  const log = openLog(config.LOG_LEVEL)
  const { SCHEMA_REGISTRY_URL: registryUrl } = config
  const registry = registryUrl ? new ConfluentSchemaRegistry({ url: registryUrl }) : new MemorySchemaRegistry()
  const codec = await openCodec(registry)
  await using database = await openDatabase({
    url: databaseUrl(config),
    poolMax: 4,
    applicationName: 'investor-updates replay-rejects',
    log,
  })
  const feeds = await replayRejects({
    ...args,
    source: openedToReparse(args.vendor, config),
    shelf: new PutAsideLetters(database),
    deadLetters: new DeadLetters(database.pool),
    codec,
  })
  for (const line of reportLines(feeds, args)) console.log(line)
}

await main().catch((error: unknown) => {
  console.error(error instanceof PlatformError ? error.message : error)
  process.exitCode = 1
})
