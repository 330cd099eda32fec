import { EVERY_KEY } from '../platform/pubsub/pubsub.ts'
import { appendArticles } from '../platform/store/article-writer.ts'
import type { FactSink } from './facts.ts'

/** news-data → articles and filings, once each by their id. */
export const news: FactSink<'news-data'> = {
  name: 'news',
  topic: 'news-data',
  store: appendArticles,
  async tell(publish, article) {
    const keys = new Set([...article.symbols, EVERY_KEY])
    await Promise.all(Array.from(keys, (key) => publish('article', key, article)))
  },
}
