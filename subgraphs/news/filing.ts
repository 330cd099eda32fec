import { Field, ID, ObjectType } from 'type-graphql'

@ObjectType('Filing', { description: 'A document that a company filed with a regulator.' })
export class FilingObject {
  @Field(() => ID, { description: "The regulator's number of the filing, e.g. 0001234567-26-000012." })
  accessionNumber: string

  @Field(() => String, { description: 'The form, e.g. 8-K, 10-Q, 4.' })
  form: string

  @Field(() => [String], { description: 'Items of an 8-K, e.g. 2.02; empty for other forms.' })
  items: readonly string[]

  @Field(() => String, { description: 'Central Index Key of the company, ten digits.' })
  cik: string

  @Field(() => String, { description: 'The company as the regulator names it.' })
  company: string
}
