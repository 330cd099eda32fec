import { buildSchema, parse, specifiedRules, validate } from 'graphql'
import { expect, test } from 'vitest'
import { compose } from './compose.ts'
import { soleSubgraph } from './sole-subgraph.ts'

const LINK = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@external", "@requires", "@override", "@shareable"]
)`

const MARKET = `
  type Query { trade: Trade }
  type Trade { price: Float! instrument: Instrument! }
  type Instrument @key(fields: "symbol") { symbol: ID! name: String! sector: String! }
`

const NEWS = `
  type Query { article: Article }
  type Article { headline: String! about: Instrument! }
  type Instrument @key(fields: "symbol") {
    symbol: ID!
    name: String! @external
    headlines: Int! @requires(fields: "name")
    mentions: Int!
    sector: String! @override(from: "market")
  }
`

const sdls = [
  { name: 'market', sdl: `${LINK} ${MARKET}` },
  { name: 'news', sdl: `${LINK} ${NEWS}` },
]

/** Whether the subgraph answers the query alone. */
function answers(subgraph: 'market' | 'news', query: string): boolean {
  const declared = 'directive @key(fields: String!) on OBJECT directive @override(from: String!) on FIELD_DEFINITION'
  const federated = 'directive @external on FIELD_DEFINITION directive @requires(fields: String!) on FIELD_DEFINITION'
  const schema = buildSchema(`${subgraph === 'market' ? MARKET : NEWS} ${declared} ${federated}`)
  const rule = soleSubgraph(compose(sdls).supergraph)(subgraph)
  return validate(schema, parse(query), [...specifiedRules, rule]).length === 0
}

test('a subgraph answers its own fields alone', () => {
  expect(answers('market', '{ trade { __typename price instrument { symbol name } } }')).toBe(true)
  expect(answers('news', '{ article { headline about { mentions sector } } }')).toBe(true)
})

test('the key of an entity is answered by each that has the entity', () => {
  expect(answers('news', '{ article { about { symbol } } }')).toBe(true)
})

test('fields that it has not got are not its own', () => {
  expect(answers('market', '{ trade { instrument { mentions } } }')).toBe(false)
  expect(answers('market', '{ article { headline } }')).toBe(false)
})

test('a field that it names and another one answers is not its own', () => {
  expect(answers('news', '{ article { about { name } } }')).toBe(false)
})

test('a field that needs something of another one is not answered alone', () => {
  expect(answers('news', '{ article { about { headlines } } }')).toBe(false)
})

test('a field that another one has taken over is not its own any more', () => {
  expect(answers('market', '{ trade { instrument { sector } } }')).toBe(false)
})

test('fragments are looked into', () => {
  const fragments = 'fragment A on Article { about { ...B } } fragment B on Instrument { name }'
  expect(answers('news', `{ article { ...A } } ${fragments}`)).toBe(false)
})
