import { Field, ObjectType } from 'type-graphql'
import { DateTime } from '../../platform/graphql/date-time.ts'

@ObjectType('Freshness', {
  description: 'How old the price of an instrument is, who told it, and when a newer one may come.',
})
export class Freshness {
  @Field(() => String, { nullable: true, description: 'Who told the price. Null where there is none yet.' })
  source?: string

  @Field(() => DateTime, { nullable: true, description: 'What the price is as of. Null where there is none yet.' })
  asOf?: Date

  @Field(() => Boolean, {
    nullable: true,
    description:
      "True where prices of this source are older than seconds by the vendor's terms. Null where there is none yet.",
  })
  delayed?: boolean

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When a source with few requests means to ask for it next. Null where none does, as with prices that are pushed to us.',
  })
  nextUpdateAt?: Date
}
