import { expect, test } from 'vitest'
import { fakeMarket } from '../../tests/support/market.ts'
import { fakeNews } from '../../tests/support/news.ts'
import { schemaOf, shapeOf, silentParts } from '../../tests/support/schema.ts'

const { subgraph } = await fakeNews(await fakeMarket())
const schema = schemaOf(subgraph.sdl)

test('everything public says what it is', () => {
  expect(silentParts(schema)).toEqual([])
})

test.each([
  ['Query', 'article', '(id: ID!): Article'],
  [
    'Query',
    'articles',
    '(after: String, first: Int, from: DateTime, kinds: [ArticleKind!], sources: [String!], symbols: [ID!], to: DateTime): ArticleConnection!',
  ],
  ['Subscription', 'articles', '(kinds: [ArticleKind!], symbols: [ID!]): Article!'],
  ['Instrument', 'news', '(after: String, first: Int, kinds: [ArticleKind!]): ArticleConnection!'],
  ['Article', 'instruments', '(): [Instrument!]!'],
  ['Article', 'licence', '(): Licence!'],
  ['Article', 'attribution', '(): String'],
  ['Article', 'vendorSentiment', '(): Float'],
  ['Article', 'filing', '(): Filing'],
  ['Article', 'publishedAt', '(): DateTime!'],
])('%s.%s keeps its shape', (typeName, fieldName, shape) => {
  expect(shapeOf(schema, typeName, fieldName)).toBe(shape)
})
