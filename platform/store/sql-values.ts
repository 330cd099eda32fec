import { printableJson } from './printable.ts'

// Facts come a handful at a time and have nulls and lists in them: one JSON parameter, unpacked by jsonb_to_recordset,
// holds what binary arrays (pg-array.ts, for thousands of ticks) do not.

/** Rows as one parameter for `jsonb_to_recordset($1::jsonb)`. */
export const jsonRows = (rows: readonly Readonly<Record<string, unknown>>[]): string => printableJson(rows)

/** SQL: a timestamp column as milliseconds since 1970. */
export const msOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`

/** SQL: milliseconds since 1970 as a timestamp. */
export const timeOf = (milliseconds: string): string => `to_timestamp(${milliseconds}::float8 / 1000)`

/** SQL: a date column as `2026-11-20`. */
export const dateOf = (column: string): string => `to_char(${column}, 'YYYY-MM-DD')`

/** One statement may not touch a row twice: of facts with one key the one to keep. */
export function keepOne<T>(
  facts: readonly T[],
  keyOf: (fact: T) => string,
  replaces: (fact: T, kept: T) => boolean,
): T[] {
  const byKey = new Map<string, T>()
  for (const fact of facts) {
    const key = keyOf(fact)
    const kept = byKey.get(key)
    if (kept === undefined || replaces(fact, kept)) byKey.set(key, fact)
  }
  return [...byKey.values()]
}
