import { openLog } from '../../platform/log.ts'
import { startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'

// A process that owns an embedded PostgreSQL until it is killed: `node postgres-owner.ts <data folder>`.
const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2], log: openLog('fatal') })
process.stdout.write(`${JSON.stringify({ url: postgres.url, pid: postgres.pid })}\n`)
