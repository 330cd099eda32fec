import { z } from 'zod'

/** Numbers are told as text, with dots and without thousands. */
export const decimal = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number')
    .transform(Number),
])
