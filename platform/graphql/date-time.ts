import { GraphQLScalarType } from 'graphql'
import { GraphQLDateTimeISO } from 'graphql-scalars'

export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description:
    'A moment in UTC as ISO 8601 text. We answer with milliseconds, like 2013-10-07T13:30:00.000Z; with an argument the milliseconds may be left out, and an offset like -04:00 may stand in place of Z.',
})
