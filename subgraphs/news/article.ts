import { Directive, Field, Float, ID, ObjectType, registerEnumType } from 'type-graphql'
import type { Article, ArticleKind } from '../../domain/article.ts'
import { attributionOf, type Licence } from '../../domain/vendors.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { LicenceEnum } from '../../platform/graphql/licence.ts'
import { PageInfo } from '../../platform/graphql/page-info.ts'
import { FilingObject } from './filing.ts'
import { NewsInstrumentObject } from './instrument.ts'

export const ArticleKindEnum = {
  NEWS: 'NEWS',
  PRESS_RELEASE: 'PRESS_RELEASE',
  FILING: 'FILING',
  TRADING_HALT: 'TRADING_HALT',
  CENTRAL_BANK: 'CENTRAL_BANK',
} as const satisfies { [K in ArticleKind]: K }

registerEnumType(ArticleKindEnum, {
  name: 'ArticleKind',
  description: 'What sort of news an article is.',
  valuesConfig: {
    NEWS: { description: 'Written by a news publisher.' },
    PRESS_RELEASE: { description: 'Told by the company itself, through a wire.' },
    FILING: { description: 'A document that a company filed with a regulator; `filing` says which.' },
    TRADING_HALT: { description: 'A venue has stopped or resumed trading of an instrument.' },
    CENTRAL_BANK: { description: 'Told by a central bank: a decision, minutes, a speech.' },
  },
})

@Directive('@key(fields: "id")')
@ObjectType('Article', { description: 'One piece of news as its publisher told it. It never changes.' })
export class ArticleObject {
  @Field(() => ID, { description: 'Unique over all sources, and stable.' })
  id: string

  @Field(() => String, { description: 'Who told us, e.g. sec-edgar.' })
  source: string

  @Field(() => LicenceEnum, { description: 'What may be done with it.' })
  licence: Licence

  @Field(() => String, {
    nullable: true,
    description: "What the source's terms ask to be shown beside it. Null where they ask nothing.",
  })
  attribution?: string

  @Field(() => ArticleKindEnum, { description: 'What sort of news it is.' })
  kind: ArticleKind

  @Field(() => String, { description: 'Its headline, plain text.' })
  headline: string

  @Field(() => String, {
    description: 'An excerpt as far as the terms let us show one, plain text; empty where there is none.',
  })
  summary: string

  @Field(() => String, { description: 'Where it can be read whole.' })
  url: string

  @Field(() => String, { description: 'Who published it, for people, e.g. Reuters.' })
  publisher: string

  @Field(() => String, { description: 'Two letters of ISO 639-1, e.g. en.' })
  language: string

  @Field(() => DateTime, { description: 'When it was published, UTC.' })
  publishedAt: Date

  @Field(() => DateTime, { description: 'When we first saw it, UTC.' })
  ingestTime: Date

  @Field(() => [ID], { description: 'Symbols of the instruments it names, the most relevant first; may be empty.' })
  symbols: readonly string[]

  @Field(() => [NewsInstrumentObject], { description: 'The instruments it names, in the order of `symbols`.' })
  instruments: NewsInstrumentObject[]

  @Field(() => Float, {
    nullable: true,
    description: "The vendor's own mood from -1 (bad) to 1 (good). Null where the vendor gives none.",
  })
  vendorSentiment: number | null

  @Field(() => FilingObject, { nullable: true, description: 'What was filed; null where it is not a filing.' })
  filing: FilingObject | null
}

@ObjectType('ArticleEdge', { description: 'An article in a list, with its place.' })
export class ArticleEdge {
  @Field(() => ArticleObject, { description: 'The article.' })
  node: ArticleObject

  @Field(() => String, { description: 'Opaque: hand it back as `after` to go on behind this edge.' })
  cursor: string
}

@ObjectType('ArticleConnection', { description: 'A page of articles, the newest first.' })
export class ArticleConnection {
  @Field(() => [ArticleEdge], { description: 'The articles of the page.' })
  edges: ArticleEdge[]

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo: PageInfo
}

export const articleView = ({ publishedAtMs, ingestTimeMs, ...article }: Article): ArticleObject => ({
  ...article,
  attribution: attributionOf(article.source),
  publishedAt: new Date(publishedAtMs),
  ingestTime: new Date(ingestTimeMs),
  instruments: article.symbols.map((symbol) => ({ symbol })),
})
