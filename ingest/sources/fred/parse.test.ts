import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { economicRelease, observation } from '../../../domain/observation.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { KNOWN_SERIES } from './known-series.ts'
import { licenceOfSeries } from './licence.ts'
import { errorOf, parseObservations, parseReleases, parseSeries, parseUpdates, reparseObservations } from './parse.ts'
import { parseGraph } from './parse-graph.ts'

const NOW_MS = Date.parse('2026-11-23T16:00:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}`, import.meta.url))
const changed = (name: string, from: string, to: string) => Buffer.from(payload(name).toString().replaceAll(from, to))
const seriesOf = (id: string) => {
  const series = KNOWN_SERIES.find(({ seriesId }) => seriesId === id)
  if (!series) throw new Error(`${id} is not known`)
  return series
}
const unrate = seriesOf('UNRATE')
const dgs10 = seriesOf('DGS10')

describe('observations', () => {
  const read = (body: Buffer) => parseObservations(body, unrate, NOW_MS)

  test('keep every vintage, with the clock time at which it was released', () => {
    expect(
      read(payload('observations.json')).facts.map(({ date, value, vintage, releasedAtMs }) => [
        date,
        value,
        vintage,
        new Date(releasedAtMs).toISOString(),
      ]),
    ).toEqual([
      ['2026-09-01', 4.1, '2026-10-02', '2026-10-02T12:30:00.000Z'],
      ['2026-09-01', 4.2, '2026-11-06', '2026-11-06T13:30:00.000Z'],
      ['2026-10-01', 4.3, '2026-11-06', '2026-11-06T13:30:00.000Z'],
      ['2026-08-01', null, '2026-11-20', '2026-11-20T13:30:00.000Z'],
    ])
  })

  test('without a known release time come at the first moment of their day in St. Louis', () => {
    const [first] = parseObservations(payload('observations.json'), dgs10, NOW_MS).facts
    expect(new Date(first.releasedAtMs).toISOString()).toBe('2026-10-02T05:00:00.000Z')
  })

  test('that were known before the span that was asked for are left out: their own first day is not told', () => {
    const { facts } = read(
      changed('observations.json', '"realtime_start": "2026-01-01"', '"realtime_start": "2026-10-02"'),
    )
    expect(facts.map(({ vintage }) => vintage)).toEqual(['2026-11-06', '2026-11-06', '2026-11-20'])
  })

  test('that are no numbers are put aside with their series, and can be read again', () => {
    const { facts, rejects } = read(changed('observations.json', '"4.3"', '"n/a"'))
    expect(facts.length).toBe(3)
    expect(rejects[0]?.reason).toMatch(/^observations of UNRATE\[2\]: value: /)
    const mended = Buffer.from(rejects[0].original.toString().replace('n/a', '4.3'))
    expect(reparseObservations(mended, NOW_MS).facts).toEqual([read(payload('observations.json')).facts[2]])
  })

  test('however mangled never break the parser', () => {
    expectParserPromises(payload('observations.json'), read, observation)
    const aside = read(changed('observations.json', '"4.3"', '"n/a"')).rejects[0].original
    expectParserPromises(aside, (body) => reparseObservations(body, NOW_MS), observation)
  })
})

describe('a series', () => {
  test('is described in our words', () => {
    expect(parseSeries(payload('series-unrate.json'), 'UNRATE')).toEqual(unrate)
  })

  test('that somebody else owns is personal', () => {
    expect(parseSeries(payload('series-vix.json'), 'VIXCLS')).toMatchObject({ licence: 'PERSONAL', frequency: 'DAILY' })
  })

  test.each([
    'SP500',
    'DJIA',
    'NASDAQCOM',
    'NIKKEI225',
    'VIXCLS',
    'BAMLH0A0HYM2',
    'DAAA',
    'BAA',
    'CSUSHPISA',
    'UMCSENT',
  ])('%s is somebody else’s by its id alone', (id) => {
    expect(licenceOfSeries(id, '', '')).toBe('PERSONAL')
  })

  test.each(['DGS10', 'CPIAUCSL', 'UNRATE', 'GDPC1', 'DTWEXBGS', 'DCOILWTICO', 'SOFR', 'DFF'])(
    '%s may be passed on',
    (id) => {
      expect(seriesOf(id).licence).toBe('REDISTRIBUTABLE')
    },
  )

  test('that was not asked for is no answer', () => {
    expect(() => parseSeries(payload('series-vix.json'), 'UNRATE')).toThrow(
      expect.objectContaining({ code: 'VENDOR_ANSWER' }),
    )
  })
})

test('updates say what has changed, and when', () => {
  const { facts, rejects, told } = parseUpdates(payload('updates.json'))
  expect([rejects.length, told]).toEqual([0, 2])
  expect(facts[0]).toEqual({ seriesId: 'DGS10', updatedAtMs: Date.parse('2026-11-20T21:16:02Z') })
})

test('releases have the clock time of their publisher where we know it', () => {
  const { facts } = parseReleases(payload('releases-dates.json'), NOW_MS)
  expect(
    facts.map(({ releaseId, releasesAtMs }) => [releaseId, releasesAtMs && new Date(releasesAtMs).toISOString()]),
  ).toEqual([
    ['18', '2026-11-23T21:15:00.000Z'],
    ['50', '2026-12-04T13:30:00.000Z'],
    ['10', '2026-12-10T13:30:00.000Z'],
    ['999', null],
  ])
})

test.each([
  ['error-no-series.json', 'VENDOR_UNKNOWN', false],
  ['error-key.json', 'VENDOR_REFUSED', true],
  ['error-too-many.json', 'VENDOR_LIMIT', false],
  ['error-locked.json', 'VENDOR_LIMIT', false],
  ['error-internal.json', 'VENDOR_UNAVAILABLE', false],
  ['error-parameter.json', 'VENDOR_ANSWER', false],
])('%s is %s, with status 200 too', (name, code, ofKey) => {
  expect(errorOf(payload(name))).toMatchObject({ code, ofKey })
  expect(() => parseUpdates(payload(name))).toThrow(expect.objectContaining({ code, ofKey }))
})

describe('the numbers of a chart', () => {
  const read = (body: Buffer) => parseGraph(body, dgs10, '2026-11-23', NOW_MS)

  test('are known from the day on which they were seen', () => {
    const { facts } = read(payload('fredgraph-dgs10.csv'))
    expect(facts.map(({ date, value, vintage }) => [date, value, vintage])).toEqual([
      ['2026-11-16', 4.14, '2026-11-23'],
      ['2026-11-17', 4.12, '2026-11-23'],
      ['2026-11-18', null, '2026-11-23'],
      ['2026-11-19', 4.1, '2026-11-23'],
      ['2026-11-20', 4.11, '2026-11-23'],
    ])
  })

  test('have carriage returns and empty fields where somebody likes them', () => {
    const { facts } = read(Buffer.from('\uFEFFDATE,DGS10\r\n2026-11-18,\r\n2026-11-19,4\r\n'))
    expect(facts.map(({ value }) => value)).toEqual([null, 4])
  })

  test('that are none are put aside with their header', () => {
    const { facts, rejects } = read(changed('fredgraph-dgs10.csv', '4.12', '#N/A'))
    expect(facts.length).toBe(4)
    expect(rejects).toEqual([
      {
        position: expect.any(Number),
        reason: 'line 3: expected a date and a number, was "2026-11-17,#N/A"',
        original: Buffer.from('observation_date,DGS10\n2026-11-17,#N/A'),
      },
    ])
  })

  test('of another series are no answer', () => {
    expect(() => read(changed('fredgraph-dgs10.csv', 'DGS10', 'DGS2'))).toThrow(
      expect.objectContaining({ code: 'VENDOR_ANSWER' }),
    )
    expect(() => read(Buffer.from('<!DOCTYPE html>'))).toThrow(expect.objectContaining({ code: 'VENDOR_UNAVAILABLE' }))
  })

  test('however mangled never break the parser', () => {
    expectParserPromises(payload('fredgraph-dgs10.csv'), read, observation)
  })
})

test('answers about series and releases, however mangled, never break the parser', () => {
  expectParserPromises(payload('releases-dates.json'), (body) => parseReleases(body, NOW_MS), economicRelease)
  expectParserPromises(payload('updates.json'), parseUpdates, (update) => update)
  expectParserPromises(
    payload('series-unrate.json'),
    (body) => ({ facts: [parseSeries(body, 'UNRATE')], rejects: [] }),
    (series) =>
      observation({ series, date: '2026-01-01', value: 1, vintage: '2026-01-01', releasedAtMs: 0, ingestTimeMs: 0 })
        .series,
  )
})
