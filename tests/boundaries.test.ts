import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { RULES, readDependencies, readNames, readTexts, sourceFiles } from './support/boundaries.ts'

const ROOT = join(import.meta.dirname, '..')
const READING_TIMEOUT_MS = 60_000

describe('this repository', () => {
  const reading = readDependencies(ROOT)

  test('every import goes in an allowed direction', { timeout: READING_TIMEOUT_MS }, async () => {
    expect((await reading).violations).toEqual([])
  })

  // A compiler that dependency-cruiser cannot use makes it read nothing and find nothing wrong.
  test('every file was read, with what it imports', { timeout: READING_TIMEOUT_MS }, async () => {
    const { modules, dependencies } = await reading
    const files = sourceFiles(ROOT)
    expect(files.length).toBeGreaterThan(50)
    expect(files.filter((file) => !modules.has(file))).toEqual([])
    expect(dependencies).toBeGreaterThan(2 * files.length)
  })

  test('files and folders are named for what is in them', () => {
    expect(readNames(ROOT)).toEqual([])
  })

  test('settings, time and chance come in where they may', () => {
    expect(readTexts(ROOT)).toEqual([])
  })
})

describe('planted violations', () => {
  const folders: string[] = []
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })

  /** A small project of its own, with the packages and the package.json of this one. */
  function project(files: Record<string, string>): string {
    const folder = mkdtempSync(join(tmpdir(), 'boundaries-'))
    folders.push(folder)
    for (const name of ['node_modules', 'package.json', 'tsconfig.json'])
      symlinkSync(join(ROOT, name), join(folder, name))
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    return folder
  }

  /** Something to import in every room. */
  const rooms = {
    'domain/tick.ts': 'export const tick = 1\n',
    'platform/clock.ts': 'export const clock = 1\n',
    'ingest/source.ts': 'export const source = 1\n',
    'processors/ticks.ts': 'export const ticks = 1\n',
    'subgraphs/market/quotes.ts': 'export const quotes = 1\n',
    'subgraphs/news/articles.ts': 'export const articles = 1\n',
    'gateway/compose.ts': 'export const compose = 1\n',
    'gateway/compose-cli.ts': "import '../subgraphs/market/quotes.ts'\nimport './compose.ts'\n",
    'clients/sdk.ts': 'export const sdk = 1\n',
    'tests/support/tape.ts': "import { Redis } from 'ioredis'\nexport const redis = Redis\n",
    'platform/bus/kafka-bus.ts': "import { Kafka } from 'kafkajs'\nexport const kafka = Kafka\n",
    'main.ts': "import './gateway/compose.ts'\nimport './processors/ticks.ts'\n",
  }

  test('a project that keeps the rules has none', { timeout: READING_TIMEOUT_MS }, async () => {
    expect((await readDependencies(project(rooms))).violations).toEqual([])
  })

  const planted: [rule: string, path: string, content: string][] = [
    ['domain-is-pure', 'domain/bar.ts', "import '../platform/clock.ts'"],
    ['domain-is-pure', 'domain/bar.ts', "import 'node:fs'"],
    ['domain-is-pure', 'domain/bar.ts', "import 'zod'"],
    ['domain-is-pure', 'domain/bar.ts', "import type { z } from 'zod'\nexport type Z = typeof z"],
    ['domain-tests-know-only-domain', 'domain/bar.test.ts', "import '../platform/clock.ts'"],
    ['platform-knows-no-stage', 'platform/health.ts', "import '../ingest/source.ts'"],
    ['stages-do-not-meet', 'processors/bars.ts', "import '../ingest/source.ts'"],
    [
      'stages-do-not-meet',
      'ingest/ingest.ts',
      "import { type quotes } from '../subgraphs/market/quotes.ts'\nexport type Q = typeof quotes",
    ],
    ['stages-do-not-meet', 'gateway/gateway.ts', "export const later = () => import('../processors/ticks.ts')"],
    ['stages-do-not-meet', 'gateway/gateway.test.ts', "import '../subgraphs/market/quotes.ts'"],
    ['subgraphs-do-not-meet', 'subgraphs/market/news.ts', "import '../news/articles.ts'"],
    ['clients-know-only-the-schema', 'clients/prices.ts', "import '../domain/tick.ts'"],
    ['nobody-imports-tests', 'ingest/tape.ts', "import '../tests/support/tape.ts'"],
    ['nobody-imports-programs', 'gateway/again.ts', "import './compose-cli.ts'"],
    ['kafka-fence', 'processors/kafka.ts', "import 'kafkajs'"],
    ['kafka-fence', 'platform/registry.ts', "import '@kafkajs/confluent-schema-registry'"],
    ['redis-fence', 'gateway/rate.ts', "import 'ioredis'"],
    ['database-fence', 'processors/copy.ts', "import 'pg'"],
    [
      'database-fence',
      'subgraphs/market/rows.ts',
      "import type { PoolClient } from 'pg'\nexport type Row = PoolClient",
    ],
    ['type-graphql-fence', 'gateway/schema.ts', "import 'type-graphql'"],
    ['no-cycles', 'platform/log.ts', "import './metrics.ts'"],
    ['no-dev-dependencies', 'platform/fake.ts', "import 'fast-check'"],
    ['no-undeclared-packages', 'platform/missing.ts', "import 'left-pad-of-nobody'"],
    ['no-missing-files', 'platform/missing.ts', "import './gone.ts'"],
  ]

  test('each of them is caught by the rule it breaks, and by name', { timeout: READING_TIMEOUT_MS }, async () => {
    for (const [rule, path, content] of planted) {
      const folder = project({
        ...rooms,
        'platform/metrics.ts': "import './log.ts'\n",
        'platform/log.ts': '\n',
        [path]: `${content}\n`,
      })
      const { violations } = await readDependencies(folder)
      expect(
        violations.map((violation) => violation.split(' → ')[0]),
        `${path}: ${content}`,
      ).toContain(`${rule}: ${path}`)
    }
  })

  test('every rule has been broken once', () => {
    const rules = new Set(RULES.forbidden?.map((rule) => rule.name))
    for (const [rule] of planted) rules.delete(rule)
    expect([...rules]).toEqual([])
  })

  test.each([
    ['platform/utils/text.ts', '"utils"'],
    ['gateway/helpers.ts', '"helpers"'],
    ['domain/types.ts', '"types"'],
    ['ingest/index.ts', 'barrel'],
    ['ingest/TapeReader.ts', 'kebab-case'],
  ])('the name %s is refused', (path, why) => {
    expect(readNames(project({ [path]: '\n' }))).toEqual([expect.stringContaining(why)])
  })

  test('a file of more than 400 lines is refused', () => {
    expect(readNames(project({ 'ingest/tape.ts': 'x()\n'.repeat(400) }))).toEqual([])
    expect(readNames(project({ 'ingest/tape.ts': 'x()\n'.repeat(401) }))).toEqual([
      expect.stringContaining('401 lines'),
    ])
  })

  test.each([
    ['gateway/limits.ts', 'const n = process.env.LIMIT'],
    ['processors/bars.ts', 'const now = Date.now()'],
    ['domain/tick.ts', 'const now = new Date()'],
    ['subgraphs/market/quotes.ts', 'const id = Math.random()'],
    ['tests/e2e/life.test.ts', "vi.mock('../../main.ts')"],
    ['ingest/tape.ts', 'read() // TODO: close it'],
  ])('the text in %s is refused: %s', (path, content) => {
    expect(readTexts(project({ [path]: `\n${content}\n` }))).toEqual([expect.stringContaining(`${path}:2: `)])
  })

  test.each([
    ['platform/config.ts', 'const n = process.env.LIMIT'],
    ['platform/clock.ts', 'const now = Date.now()'],
    ['processors/bars.ts', '// never Date.now() here'],
    ['processors/bars.ts', '/* never\n * Date.now() here */'],
    ['processors/bars.test.ts', 'const seed = Math.random()'],
    ['domain/tick.ts', 'const day = new Date(0)'],
  ])('the text in %s is fine: %s', (path, content) => {
    expect(readTexts(project({ [path]: `${content}\n` }))).toEqual([])
  })
})
