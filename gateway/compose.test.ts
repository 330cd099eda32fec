import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compose } from './compose.ts'

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])'

test('what clients see has nothing of the federation', () => {
  const { schema } = compose([
    { name: 'a', sdl: `${LINK} type Query { thing: Thing } type Thing @key(fields: "id") { id: ID! }` },
  ])
  expect(schema).toContain('type Thing')
  expect(schema).not.toMatch(/join__|@key|_Service|_entities/)
})

test('subgraphs that contradict each other are told apart in words', () => {
  const sdl = (type: string) =>
    `${LINK} type Query { ${type.toLowerCase()}: Thing } type Thing @key(fields: "id") { id: ID! size: ${type} }`
  expect(() =>
    compose([
      { name: 'first', sdl: sdl('Int') },
      { name: 'second', sdl: sdl('String') },
    ]),
  ).toThrow(/^The subgraphs first, second do not compose:\n {2}.*Thing\.size/)
})

test('the committed schemas are what the code makes of them', { timeout: 30_000 }, async () => {
  const check = promisify(execFile)(process.execPath, [
    '--import',
    './scripts/decorators.mjs',
    'gateway/compose-cli.ts',
    '--check',
  ])
  await expect(check).resolves.toMatchObject({ stderr: '' })
})
