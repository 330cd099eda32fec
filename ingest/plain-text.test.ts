import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEntities, plainText } from './plain-text.ts'

test('tags are gone and entities are decoded', () => {
  expect(plainText('<p>AT&amp;T &#8217;s <b>profit</b> rose&nbsp;5&#x25;</p>', 100)).toBe('AT&T ’s profit rose 5%')
})

test('entities are decoded once, so what an author wrote about markup stays text', () => {
  expect(plainText('&amp;lt;b&amp;gt;', 100)).toBe('&lt;b&gt;')
})

test('a tag inside of a word leaves it whole, any other parts what is around it', () => {
  expect(plainText('S<b>&amp;</b>P<br>500<td>up</td>', 100)).toBe('S&P 500 up')
})

test('scripts and style sheets are not for people', () => {
  expect(plainText('a<script>if (1 < 2) alert("x")</script>b<style>p > a {}</style>c<SCRIPT>never closed', 100)).toBe(
    'a b c',
  )
})

test('characters by the numbers of Windows are the ones that were meant', () => {
  expect(plainText('Moody&#146;s &#150; up', 100)).toBe('Moody’s – up')
})

test('an entity that nobody knows stays as it stands', () => {
  expect(decodeEntities('&lol9; &constructor; &toString; &#xD800; &#0;')).toBe(
    '&lol9; &constructor; &toString; \uFFFD \uFFFD',
  )
})

test('a comparison is no tag', () => {
  expect(plainText('EPS < 3 and P/E > 20', 100)).toBe('EPS < 3 and P/E > 20')
})

test('what is too long ends in an ellipsis and never in half a character', () => {
  expect(plainText('a😀b', 3)).toBe('a…')
  expect(plainText('abcdef', 4)).toBe('abc…')
})

test('it is never too long, never holds control characters, and is well formed', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(fc.constantFrom('<', '>', '&', '#', '<!--', '-->', '&#0;', '&#xd800;', '&lt;', '\uD800', 'x', ' '), {
        maxLength: 60,
      })
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 100 }), (html, lengthMax) => {
      const plain = plainText(html, lengthMax)
      expect(plain.length).toBeLessThanOrEqual(lengthMax)
      expect(plain).not.toMatch(/\p{Cc}/u)
      expect(plain.isWellFormed()).toBe(true)
    }),
  )
})

test('a hostile text costs no more time than a long one', () => {
  const startMs = performance.now()
  for (const part of ['<', '<a', '<!--', '<!---', '&', '&#', ' ', '<!--a-', '<script>', '<style></'])
    plainText(part.repeat(200_000), 100_000)
  expect(performance.now() - startMs).toBeLessThan(2_000)
})
