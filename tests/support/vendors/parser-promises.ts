import fc from 'fast-check'
import { expect } from 'vitest'
import type { ItemsRead } from '../../../ingest/json-answer.ts'
import { ORIGINAL_BYTES_MAX } from '../../../ingest/source.ts'
import { VendorError } from '../../../ingest/vendor-error.ts'
import { mangled } from './mangled.ts'

/**
 * What every parser of a vendor's answers promises of any bytes at all: it throws nothing but a VendorError, what it yields
 * is valid, and what it puts aside says why and can be read by it again.
 */
export function expectParserPromises<F>(
  payload: Buffer,
  parse: (body: Buffer) => ItemsRead<F>,
  check: (fact: F) => F,
): void {
  fc.assert(
    fc.property(mangled(payload), (body) => {
      const read = parsed(parse, body)
      if (read instanceof VendorError) return
      for (const fact of read.facts) expect(check({ ...fact })).toEqual(fact)
      for (const { reason, original, position } of read.rejects) {
        expect(reason).not.toBe('')
        expect(original.length).toBeLessThanOrEqual(ORIGINAL_BYTES_MAX)
        if (reason.includes('(cut from ')) continue
        const again = parsed(parse, original)
        if (!(again instanceof VendorError)) expect(again.rejects.map((reject) => reject.position)).toContain(position)
      }
    }),
    { numRuns: 500 },
  )
}

function parsed<F>(parse: (body: Buffer) => ItemsRead<F>, body: Buffer): ItemsRead<F> | VendorError {
  try {
    return parse(body)
  } catch (error) {
    if (error instanceof VendorError) return error
    throw error
  }
}
