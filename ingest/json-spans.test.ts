import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonSpans } from './json-spans.ts'

const listIn = (text: string, envelope: (item: unknown) => unknown = (item) => ({ list: [item] })) => {
  const value = JSON.parse(text)
  const spans = new JsonSpans(Buffer.from(text), value)
  const items: readonly unknown[] = Array.isArray(value.list) ? [...value.list] : Object.entries(value.list)
  return items.map((_, index) => spans.alone(items, index, envelope).toString())
}

describe('an item of a list', () => {
  test.each([
    ['with all its digits', '{"p":1.10,"id":12345678901234567890,"e":1E+2}'],
    ['with its order, its escapes and its spaces', '{ "b" : "caf\\u00e9\\/", "a":[ ],\t"b2" : {"x":null} }'],
    ['with a key that is there twice', '{"a":1,"a":2.50}'],
    ['that is a list', '[1.0, [2.0], {"3":4.0}]'],
    ['that is a number', '1.10'],
    ['that is a text with brackets and quotes in it', '"a \\"]} \\\\"'],
    ['with keys that mean something to the language', '{"__proto__":{"x":1.0},"constructor":2.0}'],
  ])('%s is written as it was', (_what, item) => {
    expect(listIn(`{"other":[${item}, 7],"list":[ 1, ${item} ,{"x":2}], "z":{}}`)[1]).toBe(`{"list":[${item}]}`)
  })

  test('is written in its own bytes, also where they are no text', () => {
    const text = Buffer.concat([Buffer.from('[{"a":"'), Buffer.of(0xff, 0xc3, 0x28), Buffer.from('"}]')])
    const value: readonly unknown[] = JSON.parse(text.toString('utf8'))
    expect(new JsonSpans(text, value).alone(value, 0, (item) => [item])).toEqual(text)
  })

  test('is found however deeply it is nested', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(listIn(`{"list":[${deep}]}`)).toEqual([`{"list":[${deep}]}`])
  })
})

test('the whole of it is written without the spaces around it', () => {
  const value = { p: 1.1 }
  const spans = new JsonSpans(Buffer.from(' {"p": 1.10}\n'), value)
  expect(spans.alone([value], 0, (item) => [item]).toString()).toBe('[{"p": 1.10}]')
})

test('an entry of an object is written under its key as it was', () => {
  const envelope = (entry: unknown) => ({ list: Object.fromEntries([entry as [string, unknown]]) })
  expect(listIn('{"list":{"9":{"p":1.10}, "1":2.0,"b": [3.0]}}', envelope)).toEqual([
    '{"list":{"1":2.0}}',
    '{"list":{"9":{"p":1.10}}}',
    '{"list":{"b":[3.0]}}',
  ])
})

test('what was put around it, and what is not of the text, is written as ever', () => {
  const spans = new JsonSpans(Buffer.from('[1.0]'), [1])
  expect(spans.alone([{ a: 1 }], 0, (item) => ({ a: 'é"', b: undefined, c: [null, item], d: {} })).toString()).toBe(
    '{"a":"é\\"","c":[null,{"a":1}],"d":{}}',
  )
})

test('whatever the JSON, each item alone is the same value, in the very text', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (list, space) => {
      const text = JSON.stringify({ before: list, list }, undefined, space)
      for (const [index, alone] of listIn(text).entries()) {
        expect(JSON.parse(alone)).toEqual(JSON.parse(JSON.stringify({ list: [list[index]] })))
        expect(text).toContain(alone.slice('{"list":['.length, -2))
      }
    }),
  )
})
