import { Directive, Field, ObjectType } from 'type-graphql'

/** Every subgraph that pages has it, so it is shareable. */
@Directive('@shareable')
@ObjectType('PageInfo', { description: 'Where a page stands among all that matches.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'True where `after: endCursor` has more.' })
  hasNextPage: boolean

  @Field(() => Boolean, { description: 'True where something comes before this page.' })
  hasPreviousPage: boolean

  @Field(() => String, { nullable: true, description: 'Cursor of the first edge; null where the page is empty.' })
  startCursor?: string

  @Field(() => String, { nullable: true, description: 'Cursor of the last edge; null where the page is empty.' })
  endCursor?: string
}
