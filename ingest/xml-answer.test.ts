import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import { ORIGINAL_BYTES_MAX } from './source.ts'
import { VendorError } from './vendor-error.ts'
import { childOf, childrenOf, textIn, XML_BYTES_MAX, XmlAnswer } from './xml-answer.ts'

const read = (xml: string | Buffer) => new XmlAnswer('somebody', Buffer.from(xml as string))

function failure(xml: string | Buffer): VendorError {
  try {
    read(xml)
  } catch (error) {
    if (error instanceof VendorError) return error
    throw error
  }
  throw new Error('it was read')
}

describe('an answer in XML', () => {
  test('is read with its attributes, prefixes and texts, entities decoded once', () => {
    const { root } = read(
      '<?xml version="1.0"?><a x="1 &amp; 2"><p:b>AT&amp;amp;T &#8217;</p:b><c/><c>&lt;i&gt;</c></a>',
    )
    expect([root.name, root.attributes.get('x')]).toEqual(['a', '1 & 2'])
    expect(textIn(root, 'p:b')).toBe('AT&amp;T ’')
    expect(childrenOf(root, 'c').map(({ text }) => text)).toEqual(['', '<i>'])
    expect(textIn(root, 'c')).toBeUndefined()
  })

  test('leaves what is in CDATA as it stands there, and says that it was', () => {
    const title = childOf(read('<a><title>x &amp; <![CDATA[y &amp; <b>z</b>]]></title></a>').root, 'title')
    expect([title?.text, title?.hasCdata]).toEqual(['x & y &amp; <b>z</b>', true])
  })

  test('knows each element as it was written, for the dead letters', () => {
    const { root } = read('<a>\r\n<b x="1">one &amp; <![CDATA[two]]></b>\r\n<b/></a>')
    expect(childrenOf(root, 'b').map(({ source }) => source)).toEqual([
      '<b x="1">one &amp; <![CDATA[two]]></b>',
      '<b/>',
    ])
  })

  test('is read in the encoding it says it is in', () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1" ?><a>Soci\xe9t\xe9</a>', 'latin1')
    expect(read(latin).root.text).toBe('Société')
    expect(read(Buffer.from('\uFEFF<a>é</a>')).root.text).toBe('é')
    expect(read(Buffer.from('\uFEFF<a>é</a>', 'utf16le')).root.text).toBe('é')
  })

  test.each([
    ['is empty', ''],
    ['is no XML', '{"a": 1}'],
    ['is cut off', '<rss><channel><item><title>Half a'],
    ['does not close what it opens', '<a><b></a>'],
    ['has no element', '<?xml version="1.0"?>'],
    ['is nested without end', '<a>'.repeat(5_000) + '</a>'.repeat(5_000)],
    ['is in an encoding that nobody knows', '<?xml version="1.0" encoding="martian"?><a/>'],
    ['names what only attackers name', '<__proto__><polluted>1</polluted></__proto__>'],
  ])('that %s is told with its bytes', (_what, xml) => {
    const error = failure(xml)
    expect([error.code, error.original?.toString()]).toEqual(['VENDOR_ANSWER', xml])
  })

  test.each([
    '<!DOCTYPE html><html><body>Sorry</body></html>',
    '\n<html lang="en"><head></head></html>',
    '<!-- edge 12 --><HTML></HTML>',
  ])('that is a page for people says that the vendor is out: %s', (html) => {
    expect(failure(html).code).toBe('VENDOR_UNAVAILABLE')
  })

  test('that brings entities of its own is refused, however few they are', () => {
    const bomb = `<!DOCTYPE lolz [<!ENTITY a "lol">${'bcdefghij'
      .split('')
      .map((name, i) => `<!ENTITY ${name} "${`&${'abcdefghi'[i]};`.repeat(10)}">`)
      .join('')}]><lolz>&j;</lolz>`
    const external = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    for (const xml of [bomb, external]) expect(failure(xml).message).toMatch(/DOCTYPE|External entities/)
  })

  test('that is too long is refused before it is read', () => {
    expect(failure(Buffer.alloc(XML_BYTES_MAX + 1, ' ')).message).toContain(`${XML_BYTES_MAX}`)
  })

  test('costs one element where one is wrong, with its bytes and its place', () => {
    const answer = read('<l><i>1</i><i>two</i><i>3</i></l>')
    const { facts, rejects } = answer.items(childrenOf(answer.root, 'i'), 'l', ({ text }) => {
      if (text === 'two') throw new PlatformError('INVALID_EVENT', 'must be a number')
      return [Number(text)]
    })
    expect(facts).toEqual([1, 3])
    expect(rejects.map(({ reason, original }) => [reason, `${original}`])).toEqual([
      ['l[1]: must be a number', '<i>two</i>'],
    ])
  })

  test.each([
    ['UTF-8', Buffer.from('<?xml version="1.0"?><l>é<i>two €</i></l>'), Buffer.from('<i>two €</i>')],
    [
      'UTF-8 that is broken',
      Buffer.concat([
        Buffer.from('<l>'),
        Buffer.of(0xff, 0xc3),
        Buffer.from('<i>two'),
        Buffer.of(0xe2, 0x82),
        Buffer.from('</i></l>'),
      ]),
      Buffer.concat([Buffer.from('<i>two'), Buffer.of(0xe2, 0x82), Buffer.from('</i>')]),
    ],
    [
      'the encoding that it declares',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1" ?><l>é<i>two é</i></l>', 'latin1'),
      Buffer.from('<?xml version="1.0" encoding="windows-1252"?><i>two é</i>', 'latin1'),
    ],
    [
      'UTF-16',
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('<l>é<i>two €</i></l>', 'utf16le')]),
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('<i>two €</i>', 'utf16le')]),
    ],
  ])(
    'keeps the very bytes of an element that is wrong, in %s, so that it can be read again',
    (_encoding, body, bytes) => {
      const wrongOf = (document: Buffer) => {
        const answer = new XmlAnswer('somebody', document)
        const elements = answer.root.name === 'i' ? [answer.root] : childrenOf(answer.root, 'i')
        const { rejects } = answer.items(elements, 'l', ({ text }) => {
          throw new PlatformError('INVALID_EVENT', text)
        })
        return rejects[0]
      }
      const { original, reason } = wrongOf(body)
      expect(original).toEqual(bytes)
      expect(wrongOf(original)).toMatchObject({ original, reason })
    },
  )

  test('says so where the bytes of an element had to be cut', () => {
    const answer = read(`<l><i>${'x'.repeat(ORIGINAL_BYTES_MAX)}</i></l>`)
    const { rejects } = answer.items(childrenOf(answer.root, 'i'), 'l', () => {
      throw new PlatformError('INVALID_EVENT', 'must be short')
    })
    expect(rejects[0].original).toHaveLength(ORIGINAL_BYTES_MAX)
    expect(rejects[0].reason).toContain('cut from')
  })

  test('does not hide a bug behind a reject', () => {
    const answer = read('<l><i/></l>')
    expect(() =>
      answer.items(answer.root.children, 'l', () => {
        throw new TypeError('a bug')
      }),
    ).toThrow(TypeError)
  })

  test('is read or refused with a VendorError, whatever it is', () => {
    // biome-ignore format: one piece after the other
    const piece = fc.constantFrom(
      '<a>', '</a>', '<a', '<b x="', '">', '/>', '<![CDATA[', ']]>', '<!--', '-->', '<?xml ', '?>', '<!DOCTYPE ', '[', '&amp;',
      '&#x0;', '&', ';', 'text', ' ', '"', "'", '=', '<__proto__>', '<constructor/>', '\u0000', '\uD800', '<?', '<!', '<', '>',
    )
    const anything = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(''))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(anything, (body) => {
        try {
          expect(typeof new XmlAnswer('somebody', body).root.name).toBe('string')
        } catch (error) {
          expect(error).toBeInstanceOf(VendorError)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('that is hostile costs no more time than a long one', () => {
    const startMs = performance.now()
    for (const part of ['<', '<a', '<a>', '<a ', '<a b="', '<!--', '<![CDATA[', '&', '&#', '<?', '<!', '<a b="1" '])
      for (const xml of [part.repeat(100_000), `<a>${part.repeat(100_000)}</a>`, `<a ${part.repeat(100_000)}></a>`])
        try {
          read(xml)
        } catch (error) {
          expect(error).toBeInstanceOf(VendorError)
        }
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })
})
