import { isEnumType, isScalarType } from 'graphql'
import { expect, test } from 'vitest'
import { fakeMarket } from '../../tests/support/market.ts'
import { schemaOf, shapeOf, silentParts } from '../../tests/support/schema.ts'

const { subgraph } = await fakeMarket()
const schema = schemaOf(subgraph.sdl)

test('everything public says what it is', () => {
  expect(Object.values(schema.getTypeMap()).some(isScalarType)).toBe(true)
  expect(silentParts(schema)).toEqual([])
})

test.each([
  ['Query', 'instrument', '(symbol: ID!): Instrument'],
  ['Query', 'instruments', '(after: String, first: Int, symbols: [ID!]): InstrumentConnection!'],
  ['Query', 'searchInstruments', '(first: Int, text: String!): [Instrument!]!'],
  ['Query', 'quotes', '(symbols: [ID!]!): [Quote!]!'],
  ['Query', 'series', '(id: ID!): EconomicSeries'],
  ['Query', 'economicSeries', '(after: String, first: Int, ids: [ID!], search: String): EconomicSeriesConnection!'],
  [
    'Query',
    'economicObservations',
    '(after: String, asOf: Date, first: Int, from: Date, seriesId: ID!, to: Date): ObservationConnection!',
  ],
  ['Query', 'economicReleases', '(after: String, first: Int, from: Date, to: Date): EconomicReleaseConnection!'],
  [
    'Query',
    'dataQuality',
    '(after: String, first: Int, from: DateTime, kinds: [DataQualityKind!], sources: [String!], symbols: [ID!], to: DateTime): DataQualityConnection!',
  ],
  ['Subscription', 'ticks', '(symbols: [ID!]!): Tick!'],
  ['Subscription', 'bars', '(interval: BarInterval!, symbols: [ID!]!): Bar!'],
  ['Subscription', 'quotes', '(symbols: [ID!]!): Quote!'],
  ['Subscription', 'economicObservations', '(seriesIds: [ID!]): Observation!'],
  ['Subscription', 'dataQuality', '(kinds: [DataQualityKind!], sources: [String!], symbols: [ID!]): DataQuality!'],
  ['Tick', 'instrument', '(): Instrument!'],
  ['Tick', 'eventTime', '(): DateTime!'],
  ['Tick', 'licence', '(): Licence!'],
  ['Quote', 'previousClose', '(): Float'],
  ['Quote', 'changePercent', '(): Float'],
  ['Quote', 'source', '(): String!'],
  ['Quote', 'delayed', '(): Boolean!'],
  ['Quote', 'licence', '(): Licence!'],
  ['Quote', 'attribution', '(): String'],
  ['Bar', 'trades', '(): Int!'],
  ['Bar', 'closed', '(): Boolean!'],
  ['Bar', 'start', '(): DateTime!'],
  ['Bar', 'source', '(): String'],
  ['Bar', 'licence', '(): Licence'],
  ['Observation', 'value', '(): Float'],
  ['Observation', 'vintage', '(): Date!'],
  ['EconomicSeries', 'latest', '(): Observation'],
  ['Instrument', 'aliases', '(): [String!]!'],
  ['Instrument', 'cik', '(): String'],
  ['Instrument', 'quote', '(): Quote'],
  ['Instrument', 'freshness', '(): Freshness'],
  ['Freshness', 'nextUpdateAt', '(): DateTime'],
  [
    'Instrument',
    'bars',
    '(after: String, first: Int, from: DateTime, interval: BarInterval!, to: DateTime): BarConnection!',
  ],
])('%s.%s keeps its shape', (typeName, fieldName, shape) => {
  expect(shapeOf(schema, typeName, fieldName)).toBe(shape)
})

test('bars have four lengths', () => {
  const interval = schema.getType('BarInterval')
  const names = isEnumType(interval) ? interval.getValues().map(({ name }) => name) : []
  expect(names).toEqual(['ONE_MINUTE', 'FIVE_MINUTES', 'ONE_HOUR', 'ONE_DAY'])
})
