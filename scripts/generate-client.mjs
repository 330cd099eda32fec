// Generates the Prisma client into platform/store/generated, offline, and only when the schema or Prisma has changed.
// Plain JavaScript: it runs right after the installation, with whatever Node there is.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = new URL('../', import.meta.url)
const schema = new URL('prisma/schema.prisma', root)
const stamp = new URL('platform/store/generated/.stamp', root)
const require = createRequire(import.meta.url)

const { version } = require('prisma/package.json')
const wanted = createHash('sha256').update(version).update(readFileSync(schema)).digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  try {
    await promisify(execFile)(
      process.execPath,
      [require.resolve('prisma/build/index.js'), 'generate', `--schema=${fileURLToPath(schema)}`, '--no-hints'],
      {
        cwd: fileURLToPath(root),
        env: {
          ...process.env,
          // Generating needs no engine, but Prisma downloads one unless it is told of a program. Any that exists will do.
          PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
          PRISMA_HIDE_UPDATE_MESSAGE: '1',
          CHECKPOINT_DISABLE: '1',
        },
      },
    )
  } catch (error) {
    console.error(`Could not generate the database client from prisma/schema.prisma:\n${error.stderr || error.message}`)
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}
