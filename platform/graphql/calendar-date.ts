import { GraphQLScalarType } from 'graphql'
import { GraphQLLocalDate } from 'graphql-scalars'

export const CalendarDate = new GraphQLScalarType({
  ...GraphQLLocalDate.toConfig(),
  name: 'Date',
  description: 'A day of the calendar as ISO 8601 text, like 2026-11-20. It has no time zone.',
})

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Whether the text is a day of the calendar, for what comes back inside a cursor. */
export function isCalendarDate(text: string): boolean {
  const day = DAY.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  return day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
