import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../platform/log.ts'
import { startEmbeddedPostgres } from '../platform/store/embedded-postgres.ts'
import { migrate } from '../platform/store/migrate.ts'
import { missingFromDatabase } from './schema-engine.ts'

// Prints the SQL by which prisma/migrations lag behind prisma/schema.prisma: what to put into the next migration.
// Exits with 2 where there is any. `npm run drift`
const schema = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url))
const dataDir = await mkdtemp(path.join(tmpdir(), 'investor-updates-drift-'))
const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, durable: false })
try {
  await migrate(postgres.url, { log: silentLog, timescale: 'off' })
  const missing = await missingFromDatabase(postgres.url, schema)
  if (missing !== '') process.exitCode = 2
  console.log(missing || '-- prisma/migrations and prisma/schema.prisma are in step')
} finally {
  await postgres.stop()
  await rm(dataDir, { recursive: true })
}
