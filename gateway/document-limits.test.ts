import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { openMetrics } from '../platform/metrics.ts'
import { documentLimitRules } from './document-limits.ts'

const schema = buildSchema('type Query { a: Query b: Int }')
const refusals = (text: string, limits: { depthMax?: number; aliasesMax?: number }) =>
  validate(
    schema,
    parse(text),
    documentLimitRules({ depthMax: 3, aliasesMax: 2, tokensMax: 0, ...limits }, openMetrics()),
  ).map(({ message }) => message)

test('fields as deep as the bound are allowed', () => {
  expect(refusals('{ a { a { b } } }', {})).toEqual([])
})

test('fields deeper than the bound are refused', () => {
  expect(refusals('{ a { a { a { b } } } }', {})).toEqual(['Fields may be at most 3 levels deep, were 4'])
})

test('a fragment is as deep as what is inside it', () => {
  expect(refusals('{ a { ...F } } fragment F on Query { a { ... { a { b } } } }', {})).toHaveLength(1)
})

test('a fragment that spreads itself is measured in the end', () => {
  expect(refusals('{ ...F } fragment F on Query { a { ...F } }', {})).toEqual([])
})

test('introspection may be as deep as tools need', () => {
  expect(refusals('{ __schema { types { ofType { ofType { ofType { name } } } } } }', { depthMax: 1 })).toEqual([])
})

test('aliases are counted over the whole document', () => {
  expect(refusals('{ x: b ...F } fragment F on Query { y: b z: b }', {})).toEqual([
    'A document may have at most 2 aliases, had 3',
  ])
})
