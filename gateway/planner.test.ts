import { pino } from 'pino'
import { expect, test } from 'vitest'
import { silentLog } from '../platform/log.ts'
import { choosePlanner } from './planner.ts'

const absent = () => Promise.reject(new Error('Cannot find module'))

test('plans in Rust where the addon is there', async () => {
  expect(await choosePlanner('auto', silentLog)).toMatchObject({ name: 'rust', handler: expect.any(Function) })
})

test('plans in JavaScript where the addon is missing, with a warning', async () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
  expect(await choosePlanner('auto', log, absent)).toEqual({ name: 'js', handler: undefined })
  expect(lines).toEqual([expect.stringContaining('No Rust query planner')])
})

test('does not fall back where Rust was asked for by name', async () => {
  await expect(choosePlanner('rust', silentLog, absent)).rejects.toThrow('Cannot find module')
})
