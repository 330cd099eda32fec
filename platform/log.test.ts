import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

/** A process of its own that logs once somebody says so: whoever read its log is gone by then. */
const LOGS_WHEN_TOLD = `
  const { openLog } = await import('${new URL('log.ts', import.meta.url)}')
  const log = openLog('info')
  process.stdin.once('data', () => {
    log.warn('about to fail')
    log.fatal('failed')
    process.exit(3)
  })
  log.info('started')`

test('a process whose log nobody reads any more ends all the same', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', LOGS_WHEN_TOLD])
  try {
    const exited = once(child, 'exit')
    await once(child.stderr, 'data')
    child.stderr.destroy()
    await once(child.stderr, 'close')
    child.stdin.write('now')
    expect(await exited).toEqual([3, null])
  } finally {
    child.kill('SIGKILL')
  }
})
