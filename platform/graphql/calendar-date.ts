import { GraphQLScalarType } from 'graphql'
import { GraphQLLocalDate } from 'graphql-scalars'

export const CalendarDate = new GraphQLScalarType({
  ...GraphQLLocalDate.toConfig(),
  name: 'Date',
  description: 'A day of the calendar as ISO 8601 text, like 2026-11-20. It has no time zone.',
})
