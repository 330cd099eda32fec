import { expect, test } from 'vitest'
import { canonicalUrl, idOfUrl } from './canonical-url.ts'

test('what was added to follow readers is gone, what names the page stays', () => {
  expect(canonicalUrl('https://WWW.Example.com/a/b/?id=7&utm_source=x&UTM_Medium=y&fbclid=z#top')).toBe(
    'https://www.example.com/a/b?id=7',
  )
})

test('every way to write the address of a page gives it one id', () => {
  const ways = ['https://example.com/a', 'http://example.com/a/', ' https://EXAMPLE.com/a?utm_campaign=1#x']
  expect(new Set(ways.map(idOfUrl)).size).toBe(1)
  expect(idOfUrl('https://example.com/a?page=2')).not.toBe(idOfUrl('https://example.com/a'))
})

test.each(['', 'news', '/a', 'javascript:alert(1)', 'ftp://example.com/a'])('%j is no address of a page', (address) => {
  expect(() => canonicalUrl(address)).toThrow(expect.objectContaining({ code: 'INVALID_EVENT' }))
})

test('names and passwords in an address are not passed on', () => {
  expect(canonicalUrl('https://me:secret@example.com/a')).toBe('https://example.com/a')
})
