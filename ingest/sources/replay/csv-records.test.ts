import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CsvFields } from './csv-fields.ts'
import { CsvRecords, RECORD_BYTES_MAX } from './csv-records.ts'

interface Read {
  readonly line: number
  readonly fields: readonly string[]
  readonly problem: string | undefined
  readonly original: string
}

/** Reads the text in pieces of that size, as it would come from a file. */
function readAll(text: string, chunkBytes = 1 << 20, byte = 0, line = 1): Read[] {
  const bytes = Buffer.from(text).subarray(byte)
  const records = new CsvRecords(byte, line)
  const fields = new CsvFields(20)
  const read: Read[] = []
  const take = () => {
    while (records.next()) {
      const { record } = records
      fields.split(record)
      read.push({
        line: record.line,
        fields: Array.from({ length: fields.count }, (_, i) => fields.text(i)),
        problem: record.problem,
        original: record.buffer.toString('utf8', record.start, record.end),
      })
    }
  }
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    records.push(Buffer.from(bytes.subarray(at, at + chunkBytes)))
    take()
  }
  records.end()
  take()
  return read
}

const fieldsOf = (text: string) => readAll(text).map(({ fields }) => fields)

describe('CSV records', () => {
  test('lines may end in LF, in CRLF, and the last one in nothing', () => {
    expect(fieldsOf('a,b\r\n1,2\n3,4')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ])
  })

  test('a quoted field may hold commas, quotes and line ends', () => {
    expect(fieldsOf('"a,b","c ""d""","e\nf"\n1,"",3\n')).toEqual([
      ['a,b', 'c "d"', 'e\nf'],
      ['1', '', '3'],
    ])
  })

  test('a quote inside an unquoted field is a character like any other', () => {
    expect(fieldsOf('5" pipe,1\n2,3\n')).toEqual([
      ['5" pipe', '1'],
      ['2', '3'],
    ])
  })

  test('empty lines are passed over and still counted', () => {
    expect(readAll('a\n\n\r\nb\n').map(({ line, fields }) => [line, fields[0]])).toEqual([
      [1, 'a'],
      [4, 'b'],
    ])
  })

  test('lines within a quoted field are counted', () => {
    expect(readAll('"a\nb\nc",1\nd,2\n').map(({ line }) => line)).toEqual([1, 4])
  })

  test.each([
    ['never closed', 'a,"b,c\nd,e,f\ng,h,i\n'],
    ['followed by text', 'a,"b"c,d\nd,e,f\ng,h,i\n'],
  ])('a quoted field that is %s costs its own line alone', (_what, text) => {
    const [bad, ...good] = readAll(text)
    expect(bad.problem).toContain('must be closed')
    expect(bad.original).toBe(text.split('\n')[0])
    expect(good.map(({ fields }) => fields.join())).toEqual(['d,e,f', 'g,h,i'])
  })

  test('a quote that opens and is not closed within the bound costs its own line alone', () => {
    const rows = 'd,e,f\n'.repeat(RECORD_BYTES_MAX / 4)
    const [bad, ...good] = readAll(`a,"b,c\n${rows}`, 65_536)
    expect(bad.original).toBe('a,"b,c')
    expect(good).toHaveLength(RECORD_BYTES_MAX / 4)
    expect(good.at(-1)?.line).toBe(RECORD_BYTES_MAX / 4 + 1)
  })

  test('a line over the bound is reported with its beginning, and the next one is read', () => {
    const [before, long, after] = readAll(`a\n${'x'.repeat(3 * RECORD_BYTES_MAX)}\nb\n`, 65_536)
    expect([before.fields[0], after.fields[0], after.line]).toEqual(['a', 'b', 3])
    expect(long.problem).toContain('at most')
    expect(long.original).toMatch(/^x{65536}$/)
  })

  test('a line over the bound is reported where the file ends in it', () => {
    expect(readAll(`a\n${'x'.repeat(RECORD_BYTES_MAX + 1)}`, 65_536)[1].problem).toContain('at most')
  })

  test('a line over the bound takes no more memory than the bound', () => {
    const records = new CsvRecords(0, 1)
    const chunk = Buffer.alloc(65_536, 'x')
    for (let i = 0; i < 1_000; i++) {
      records.push(chunk)
      expect(records.next()).toBe(false)
      expect(records.record.buffer.length).toBeLessThan(2 * RECORD_BYTES_MAX)
    }
    // Whoever starts again from here reads the same line again, not its middle.
    expect(records.byte).toBe(0)
  })

  const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r\n', ' ', 'é', '.'), maxLength: 6 })
  const written = (value: string, quoted: boolean) =>
    quoted || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  const table = fc.array(fc.array(fc.tuple(cell, fc.boolean()), { minLength: 1, maxLength: 4 }), { maxLength: 8 })

  test('any table comes back as it was written, however it is cut into pieces', () => {
    fc.assert(
      fc.property(
        table,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, chunkBytes, lineEnd) => {
          const text = rows
            .map((row) => row.map(([value, quoted]) => written(value, quoted)).join(',') + lineEnd)
            .join('')
          const expected = rows.map((row) => row.map(([value]) => value))
          // An empty line and a row of one empty field are the same text.
          const isEmpty = (row: (typeof rows)[number]) => row.length === 1 && row[0][0] === '' && !row[0][1]
          expect(readAll(text, chunkBytes).map(({ fields }) => fields)).toEqual(
            expected.filter((_, i) => !isEmpty(rows[i])),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  const anything = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '1'), maxLength: 40 })

  test('anything at all is read the same however it is cut into pieces', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 7 }), (text, chunkBytes) => {
        expect(readAll(text, chunkBytes)).toEqual(readAll(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('reading can go on from where any record ended', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const whole = readAll(text)
        const records = new CsvRecords(0, 1)
        records.push(Buffer.from(text))
        records.end()
        for (let read = 1; records.next(); read++)
          expect(readAll(text, 5, records.byte, records.line)).toEqual(whole.slice(read))
      }),
      { numRuns: 1_000 },
    )
  })
})
