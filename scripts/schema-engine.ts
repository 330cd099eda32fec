import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm'
import pg from 'pg'

/**
 * What would have to be run so that the database becomes what `schema.prisma` says, as SQL; empty where they are in step.
 * Asked of Prisma's own engine in its WebAssembly build, so that nobody downloads the native one. Views and indexes on
 * expressions are invisible to it.
 */
export async function missingFromDatabase(url: string, schemaFile: string): Promise<string> {
  return diff(url, schemaFile, (database, schema) => ({ from: database, to: schema }))
}

/** The other way round: what the database has and `schema.prisma` does not say. */
export async function missingFromSchema(url: string, schemaFile: string): Promise<string> {
  return diff(url, schemaFile, (database, schema) => ({ from: schema, to: database }))
}

type DiffParams = Parameters<SchemaEngine['diff']>[0]
type Target = DiffParams['from']

async function diff(
  url: string,
  schemaFile: string,
  direction: (database: Target, schema: Target) => Pick<DiffParams, 'from' | 'to'>,
): Promise<string> {
  const content = readFileSync(schemaFile, 'utf8')
  const files = [{ path: schemaFile, content }]
  const { SchemaEngine } = await loadEngine()
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {}) // The query that needs the connection tells.
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(withCharColumns(new PrismaPg(pool)))
    const engine = await SchemaEngine.new({ datamodels: [[schemaFile, content]] }, () => {}, adapter)
    const result = await engine.diff({
      ...direction(
        { tag: 'schemaDatasource', files, configDir: path.dirname(schemaFile) },
        { tag: 'schemaDatamodel', files },
      ),
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    })
    return result.exitCode === 0 ? '' : (result.stdout ?? '').trim()
  } finally {
    await pool.end()
  }
}

const CHAR = 18
const TEXT = 25

interface Answer {
  readonly fields: { dataTypeID: number }[]
}
/** What PrismaPg does inside: `queryRaw` names the column types of what `performIO` answered. */
interface AdapterParts {
  queryRaw(query: SqlQuery): Promise<SqlResultSet>
  performIO(query: SqlQuery): Promise<Answer>
}

/** The engine reads columns of type "char" from the catalogue, and @prisma/adapter-pg 7.10.0 refuses that type. */
function withCharColumns(adapter: PrismaPg): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connectToShadowDb: () => Promise.reject(new Error('The drift check compares with a real database, not a shadow')),
    connect: async () => {
      const connected = await adapter.connect()
      const parts = connected as unknown as AdapterParts
      const queryRaw = parts.queryRaw
      parts.queryRaw = async (query) => {
        const chars: number[] = []
        const performIO = async (asked: SqlQuery) => {
          const answer = await parts.performIO(asked)
          answer.fields.forEach((field, i) => {
            if (field.dataTypeID !== CHAR) return
            chars.push(i)
            field.dataTypeID = TEXT
          })
          return answer
        }
        const result = await queryRaw.call(Object.create(parts, { performIO: { value: performIO } }), query)
        for (const i of chars) result.columnTypes[i] = ColumnTypeEnum.Character
        return result
      }
      return connected
    },
  }
}

type Engine = typeof import('@prisma/schema-engine-wasm/schema_engine_bg')
let loaded: Promise<Engine> | undefined

/** Once per process: its glue keeps the memory in module variables, and a second instance would corrupt it. */
function loadEngine(): Promise<Engine> {
  loaded ??= instantiate()
  return loaded
}

/** By hand, so that nothing depends on how whoever runs us imports a `.wasm` file. */
async function instantiate(): Promise<Engine> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')
  const code = readFileSync(path.join(path.dirname(entry), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': { ...glue } })
  // Where the engine tells why it gave up, before it traps.
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: {
      set_message(message: string) {
        throw new Error(message)
      },
    },
  })
  const start = instance.exports.__wbindgen_start
  glue.__wbg_set_wasm(instance.exports)
  if (typeof start === 'function') start()
  return glue
}
