import { buildASTSchema, isEnumType, isObjectType, isScalarType, parse } from 'graphql'
import { expect, test } from 'vitest'
import { fakeMarket } from '../../tests/support/market.ts'

const { subgraph } = await fakeMarket()
const schema = buildASTSchema(parse(subgraph.sdl), { assumeValidSDL: true })
const BUILT_IN = /^(__|String$|Int$|Float$|Boolean$|ID$)/
const types = Object.values(schema.getTypeMap()).filter(({ name }) => !BUILT_IN.test(name))

test('everything public says what it is', () => {
  const silent: string[] = []
  for (const type of types) {
    const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name)
    if (!type.description && !isRoot) silent.push(type.name)
    if (isEnumType(type))
      for (const value of type.getValues()) if (!value.description) silent.push(`${type.name}.${value.name}`)
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      if (!field.description) silent.push(`${type.name}.${field.name}`)
      for (const arg of field.args) if (!arg.description) silent.push(`${type.name}.${field.name}(${arg.name})`)
    }
  }
  expect(types.some(isScalarType)).toBe(true)
  expect(silent).toEqual([])
})

test.each([
  ['Query', 'instrument', '(symbol: ID!)', 'Instrument'],
  ['Query', 'instruments', '(after: String, first: Int, symbols: [ID!])', 'InstrumentConnection!'],
  ['Query', 'searchInstruments', '(first: Int, text: String!)', '[Instrument!]!'],
  ['Query', 'quotes', '(symbols: [ID!]!)', '[Quote!]!'],
  ['Subscription', 'ticks', '(symbols: [ID!]!)', 'Tick!'],
  ['Subscription', 'bars', '(interval: BarInterval!, symbols: [ID!]!)', 'Bar!'],
  ['Tick', 'instrument', '()', 'Instrument!'],
  ['Tick', 'eventTime', '()', 'DateTime!'],
  ['Quote', 'previousClose', '()', 'Float'],
  ['Quote', 'changePercent', '()', 'Float'],
  ['Bar', 'trades', '()', 'Int!'],
  ['Bar', 'closed', '()', 'Boolean!'],
  ['Bar', 'start', '()', 'DateTime!'],
  ['Instrument', 'quote', '()', 'Quote'],
  [
    'Instrument',
    'bars',
    '(after: String, first: Int, from: DateTime, interval: BarInterval!, to: DateTime)',
    'BarConnection!',
  ],
])('%s.%s keeps its shape', (typeName, fieldName, args, type) => {
  const owner = schema.getType(typeName)
  const field = isObjectType(owner) ? owner.getFields()[fieldName] : undefined
  expect(String(field?.type)).toBe(type)
  const given = field?.args.map(({ name, type: of }) => `${name}: ${of}`).sort()
  expect(`(${given?.join(', ')})`).toBe(args)
})

test('bars have four lengths', () => {
  const interval = schema.getType('BarInterval')
  const names = isEnumType(interval) ? interval.getValues().map(({ name }) => name) : []
  expect(names).toEqual(['ONE_MINUTE', 'FIVE_MINUTES', 'ONE_HOUR', 'ONE_DAY'])
})
