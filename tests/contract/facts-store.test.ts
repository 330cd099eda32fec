import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ARTICLE_KINDS } from '../../domain/article.ts'
import { appendArticles } from '../../platform/store/article-writer.ts'
import { type ArticleKey, type ArticlePage, Articles } from '../../platform/store/articles.ts'
import { appendDataQuality, DataQualityEvents, type DataQualityKey } from '../../platform/store/data-quality.ts'
import type { Database } from '../../platform/store/database.ts'
import { EconomicReleases, upsertReleases } from '../../platform/store/economic-releases.ts'
import { EconomicSeriesStore } from '../../platform/store/economic-series.ts'
import { appendObservations, Observations } from '../../platform/store/observations.ts'
import { QuoteSnapshots, upsertSnapshots } from '../../platform/store/quote-snapshots.ts'
import { testDatabase } from '../support/database.ts'
import {
  aFiling,
  anArticle,
  anObservation,
  aQualityEvent,
  aRelease,
  aSeries,
  aSnapshot,
  FRIDAY_MS,
} from '../support/facts.ts'

let database: Database

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.pool.query(
    `TRUNCATE news_data, news_symbols, economic_series, economic_data, economic_releases, quote_snapshots, data_quality`,
  )
})

describe('Articles', () => {
  const idsOf = async (page: Omit<ArticlePage, 'first'>) =>
    (await new Articles(database).page({ first: 100, ...page })).items.map(({ id }) => id)

  test('an article comes back as it was told', async () => {
    const told = [
      anArticle({ symbols: ['AAPL', 'MSFT'] }),
      anArticle({ id: 'rss:2', symbols: [], vendorSentiment: null }),
    ]
    expect(await appendArticles(database.pool, told)).toEqual(told)
    expect([...(await new Articles(database).find(['newsapi:1', 'rss:2', 'rss:3'])).values()]).toEqual(told)
  })

  test('a filing comes back with its form, items and company', async () => {
    await appendArticles(database.pool, [aFiling()])
    expect(await new Articles(database).find([aFiling().id])).toEqual(new Map([[aFiling().id, aFiling()]]))
  })

  test('one that is told again is no news, and stays as it was', async () => {
    await appendArticles(database.pool, [anArticle()])
    const again = anArticle({ headline: 'Told differently' })
    expect(await appendArticles(database.pool, [again, again])).toEqual([])
    expect((await new Articles(database).find(['newsapi:1'])).get('newsapi:1')).toEqual(anArticle())
  })

  test('one that is told twice at once is new once', async () => {
    expect(await appendArticles(database.pool, [anArticle(), anArticle({ headline: 'Later' })])).toEqual([anArticle()])
  })

  test('an address with a NUL in it is stored without it', async () => {
    await appendArticles(database.pool, [anArticle({ url: 'https://news.example/\0' })])
    expect((await new Articles(database).find(['newsapi:1'])).get('newsapi:1')?.url).toBe('https://news.example/\ufffd')
  })

  test('an article that names several of the symbols asked for is listed once', async () => {
    await appendArticles(database.pool, [anArticle({ symbols: ['AAPL', 'MSFT', 'AAPL'] })])
    expect(await idsOf({ symbols: ['MSFT', 'AAPL', 'AAPL'] })).toEqual(['newsapi:1'])
  })

  test('no symbols asked for finds nothing, which is not the same as leaving them out', async () => {
    await appendArticles(database.pool, [anArticle()])
    expect(await idsOf({ symbols: [] })).toEqual([])
    expect(await idsOf({})).toEqual(['newsapi:1'])
  })

  test('every page of every filter is what filtering and sorting all of them would give', async () => {
    const symbols = ['AAPL', 'MSFT', 'SPY']
    const sources = ['rss', 'newsapi']
    const publishers = ['Reuters', 'Example News']
    const some = (of: readonly string[]) => fc.option(fc.subarray([...of]), { nil: undefined })
    const told = fc
      .sample(
        fc.record({
          symbols: fc.shuffledSubarray(symbols),
          kind: fc.constantFrom(...ARTICLE_KINDS),
          source: fc.constantFrom(...sources),
          publisher: fc.constantFrom(...publishers),
          publishedAtMs: fc.integer({ min: FRIDAY_MS - 5, max: FRIDAY_MS }),
        }),
        { numRuns: 120, seed: 7 },
      )
      .map((fields, n) => (fields.kind === 'FILING' ? aFiling : anArticle)({ ...fields, id: `x:${n}` }))
    await appendArticles(database.pool, told)
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          symbols: some(symbols),
          kinds: some(ARTICLE_KINDS),
          sources: some(sources),
          publishers: some(publishers),
          fromMs: fc.option(fc.integer({ min: FRIDAY_MS - 6, max: FRIDAY_MS }), { nil: undefined }),
          toMs: fc.option(fc.integer({ min: FRIDAY_MS - 5, max: FRIDAY_MS + 1 }), { nil: undefined }),
        }),
        fc.integer({ min: 1, max: 40 }),
        async (filter, first) => {
          const asked = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
          const expected = told
            .filter(
              (one) =>
                (filter.symbols?.some((symbol) => one.symbols.includes(symbol)) ?? true) &&
                (filter.kinds?.includes(one.kind) ?? true) &&
                (filter.sources?.includes(one.source) ?? true) &&
                (filter.publishers?.includes(one.publisher) ?? true) &&
                one.publishedAtMs >= (filter.fromMs ?? 0) &&
                one.publishedAtMs < (filter.toMs ?? Number.POSITIVE_INFINITY),
            )
            .map(({ id }) => id)
          const paged: string[] = []
          const times: number[] = []
          for (let after: ArticleKey | undefined, more = true; more; ) {
            const page = await new Articles(database).page({ ...asked, first, ...(after && { after }) })
            paged.push(...page.items.map(({ id }) => id))
            times.push(...page.items.map(({ publishedAtMs }) => publishedAtMs))
            after = page.items.at(-1)
            more = page.hasNext
          }
          expect([...paged].sort()).toEqual(expected.sort())
          expect(times).toEqual(times.toSorted((a, b) => b - a))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('an endless filter is refused', async () => {
    const symbols = Array.from({ length: 501 }, (_, n) => `S${n}`)
    await expect(new Articles(database).page({ symbols, first: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('Observations', () => {
  const months = ['2026-07-01', '2026-08-01', '2026-09-01', '2026-10-01']
  const valuesOf = (items: readonly { date: string; value: number | null }[]) =>
    items.map(({ date, value }) => [date, value])

  test('an observation comes back as it was told, and its series with it', async () => {
    const { series, ...stored } = anObservation()
    expect(await appendObservations(database.pool, [anObservation()])).toEqual([anObservation()])
    const page = await new Observations(database).page({ seriesId: 'CPIAUCSL', first: 10 })
    expect(page).toEqual({ items: [{ seriesId: 'CPIAUCSL', ...stored }], hasNext: false })
    expect(await new EconomicSeriesStore(database).find(['CPIAUCSL', 'NOPE'])).toEqual(new Map([['CPIAUCSL', series]]))
  })

  test('one that is told again is not new; a revision is', async () => {
    await appendObservations(database.pool, [anObservation()])
    const revision = anObservation({ vintage: '2026-12-10', value: 326 })
    expect(await appendObservations(database.pool, [anObservation({ value: 9 }), revision, revision])).toEqual([
      revision,
    ])
    expect(await new Observations(database).vintages('CPIAUCSL', '2026-10-01', 10)).toMatchObject([
      { vintage: '2026-11-13', value: 325.5 },
      { vintage: '2026-12-10', value: 326 },
    ])
  })

  test('a point in time shows what was known then: no later vintage, and no period that was not out yet', async () => {
    await appendObservations(database.pool, [
      anObservation({ date: '2026-09-01', vintage: '2026-10-14', value: 1 }),
      anObservation({ date: '2026-09-01', vintage: '2026-11-13', value: 2 }),
      anObservation({ date: '2026-10-01', vintage: '2026-11-13', value: 3 }),
    ])
    const asOf = async (day?: string) =>
      valuesOf(
        (await new Observations(database).page({ seriesId: 'CPIAUCSL', first: 10, ...(day && { asOf: day }) })).items,
      )
    expect(await asOf('2026-10-13')).toEqual([])
    expect(await asOf('2026-11-12')).toEqual([['2026-09-01', 1]])
    expect(await asOf('2026-11-13')).toEqual([
      ['2026-09-01', 2],
      ['2026-10-01', 3],
    ])
    expect(await asOf()).toEqual(await asOf('2026-11-13'))
  })

  test('pages go from the oldest period on, within the bounds, each period once', async () => {
    await appendObservations(
      database.pool,
      months.flatMap((date, n) => [
        anObservation({ date, vintage: '2026-11-01', value: n }),
        anObservation({ date, vintage: '2026-11-02', value: 10 + n }),
      ]),
    )
    const observations = new Observations(database)
    const bounds = { seriesId: 'CPIAUCSL', from: '2026-08-01', to: '2026-11-01', first: 2 }
    const one = await observations.page(bounds)
    expect([valuesOf(one.items), one.hasNext]).toEqual([
      [
        [months[1], 11],
        [months[2], 12],
      ],
      true,
    ])
    const two = await observations.page({ ...bounds, after: '2026-09-01' })
    expect([valuesOf(two.items), two.hasNext]).toEqual([[[months[3], 13]], false])
  })

  test('the latest is the newest period that has a value, as it is known now', async () => {
    await appendObservations(database.pool, [
      anObservation({ date: '2026-09-01', vintage: '2026-10-14', value: 1 }),
      anObservation({ date: '2026-09-01', vintage: '2026-11-13', value: 2 }),
      anObservation({ date: '2026-10-01', vintage: '2026-11-13', value: null }),
      anObservation({ series: aSeries({ seriesId: 'EMPTY' }), value: null }),
    ])
    const latest = await new Observations(database).latest(['CPIAUCSL', 'EMPTY', 'NOPE', 'CPIAUCSL'])
    expect([...latest.values()]).toMatchObject([{ seriesId: 'CPIAUCSL', date: '2026-09-01', value: 2 }])
  })

  test('a series is described by whoever was seen last, not by who is told again', async () => {
    const titled = (title: string, ingestTimeMs: number) =>
      anObservation({ series: aSeries({ title }), ingestTimeMs, date: '2026-01-01', vintage: '2026-02-01' })
    await appendObservations(database.pool, [titled('new', FRIDAY_MS + 2), titled('middle', FRIDAY_MS + 1)])
    await appendObservations(database.pool, [titled('old', FRIDAY_MS)])
    expect((await new EconomicSeriesStore(database).find(['CPIAUCSL'])).get('CPIAUCSL')?.title).toBe('new')
  })

  test('a series is found by words of its id and title', async () => {
    await appendObservations(database.pool, [
      anObservation(),
      anObservation({ series: aSeries({ seriesId: 'UNRATE', title: 'Unemployment Rate' }) }),
      anObservation({ series: aSeries({ seriesId: 'X100', title: 'All 100% of it' }) }),
    ])
    const series = new EconomicSeriesStore(database)
    const found = async (search: string) =>
      (await series.page({ search, first: 10 })).items.map(({ seriesId }) => seriesId)
    expect(await found('price CONSUMER')).toEqual(['CPIAUCSL'])
    expect(await found('unr')).toEqual(['UNRATE'])
    expect(await found('0%')).toEqual(['X100'])
    expect(await found('')).toEqual(['CPIAUCSL', 'UNRATE', 'X100'])
    expect(await series.page({ ids: ['UNRATE', 'CPIAUCSL'], first: 1, after: 'CPIAUCSL' })).toMatchObject({
      items: [{ seriesId: 'UNRATE' }],
      hasNext: false,
    })
  })
})

describe('Economic releases', () => {
  test('a release comes back as it was told, and its clock time when that becomes known', async () => {
    await upsertReleases(database.pool, [aRelease()])
    const timed = aRelease({ releasesAtMs: Date.UTC(2026, 11, 10, 13, 30), ingestTimeMs: FRIDAY_MS + 1 })
    await upsertReleases(database.pool, [timed, aRelease()])
    await upsertReleases(database.pool, [aRelease()])
    const page = await new EconomicReleases(database).page({ from: '2026-12-01', first: 10 })
    expect(page).toEqual({ items: [timed], hasNext: false })
  })

  test('pages follow the calendar, without gap or repetition', async () => {
    const planned = ['2026-12-01', '2026-12-02'].flatMap((date) =>
      ['10', '50'].flatMap((releaseId) => ['fred', 'rss'].map((source) => aRelease({ date, releaseId, source }))),
    )
    await upsertReleases(database.pool, planned)
    const releases = new EconomicReleases(database)
    const seen: string[] = []
    for (let after: (typeof planned)[number] | undefined, more = true; more; ) {
      const page = await releases.page({ from: '2026-12-01', to: '2026-12-03', first: 3, ...(after && { after }) })
      seen.push(...page.items.map(({ date, source, releaseId }) => `${date} ${source} ${releaseId}`))
      after = page.items.at(-1)
      more = page.hasNext
    }
    expect(seen).toEqual(planned.map(({ date, source, releaseId }) => `${date} ${source} ${releaseId}`).sort())
    expect((await releases.page({ from: '2026-12-02', sources: ['rss'], first: 10 })).items).toHaveLength(2)
  })
})

describe('Quote snapshots', () => {
  const found = async () => (await new QuoteSnapshots(database).find(['AAPL'])).get('AAPL')

  test('a snapshot comes back as it was told, beside those of other vendors, the newest first', async () => {
    const other = aSnapshot({ source: 'finnhub', eventTimeMs: FRIDAY_MS + 1, previousClose: null, dayVolume: null })
    expect(await upsertSnapshots(database.pool, [aSnapshot(), other])).toEqual([aSnapshot(), other])
    expect(await found()).toEqual([other, aSnapshot()])
  })

  test('an older one changes nothing, nor does the same again', async () => {
    await upsertSnapshots(database.pool, [aSnapshot()])
    expect(await upsertSnapshots(database.pool, [aSnapshot({ eventTimeMs: FRIDAY_MS - 1, price: 1 })])).toEqual([])
    expect(await upsertSnapshots(database.pool, [aSnapshot({ ingestTimeMs: FRIDAY_MS + 9_000 })])).toEqual([])
    expect(await found()).toEqual([aSnapshot()])
  })

  test('of several at once the newest counts', async () => {
    const newest = aSnapshot({ eventTimeMs: FRIDAY_MS + 5, price: 233 })
    expect(await upsertSnapshots(database.pool, [aSnapshot(), newest, aSnapshot()])).toEqual([newest])
  })

  test('a vendor that corrects the price of one moment is believed', async () => {
    await upsertSnapshots(database.pool, [aSnapshot()])
    const corrected = aSnapshot({ price: 231.75, ingestTimeMs: FRIDAY_MS + 9_000 })
    expect(await upsertSnapshots(database.pool, [corrected])).toEqual([corrected])
    expect(await upsertSnapshots(database.pool, [aSnapshot()])).toEqual([])
  })
})

describe('Data quality', () => {
  test('an event is stored once by kind, source, symbol and time, also one about a whole source', async () => {
    const silent = aQualityEvent({ kind: 'SILENT_SOURCE', symbol: null })
    expect(await appendDataQuality(database.pool, [aQualityEvent(), silent, silent])).toEqual([aQualityEvent(), silent])
    expect(await appendDataQuality(database.pool, [silent, aQualityEvent()])).toEqual([])
    const { items } = await new DataQualityEvents(database).page({ first: 10 })
    expect(items.map(({ id: _, ...event }) => event)).toEqual(expect.arrayContaining([silent, aQualityEvent()]))
    expect(items).toHaveLength(2)
  })

  test('pages go from the newest back, without gap or repetition, and can be narrowed', async () => {
    const told = Array.from({ length: 9 }, (_, n) =>
      aQualityEvent({
        kind: n % 2 ? 'GAP' : 'JUMP',
        symbol: n % 3 ? 'BTC-USD' : 'ETH-USD',
        source: n < 5 ? 'kraken' : 'coinbase',
        eventTimeMs: FRIDAY_MS + Math.floor(n / 2),
      }),
    )
    await appendDataQuality(database.pool, told)
    const events = new DataQualityEvents(database)
    const walk = async (filter: object) => {
      const seen: number[] = []
      for (let after: DataQualityKey | undefined, more = true; more; ) {
        const page = await events.page({ first: 2, ...filter, ...(after && { after }) })
        seen.push(...page.items.map(({ eventTimeMs }) => eventTimeMs - FRIDAY_MS))
        after = page.items.at(-1)
        more = page.hasNext
      }
      return seen
    }
    expect(await walk({})).toEqual([4, 3, 3, 2, 2, 1, 1, 0, 0])
    expect(await walk({ fromMs: FRIDAY_MS + 1, toMs: FRIDAY_MS + 3 })).toEqual([2, 2, 1, 1])
    expect(await walk({ symbols: ['ETH-USD'] })).toEqual([3, 1, 0])
    expect(await walk({ sources: ['coinbase'] })).toEqual([4, 3, 3, 2])
    expect(await walk({ sources: ['coinbase'], symbols: ['BTC-USD', 'ETH-USD'], kinds: ['GAP'] })).toEqual([3, 2])
    expect(await walk({ symbols: [] })).toEqual([])
  })
})
