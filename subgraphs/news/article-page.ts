import type { Article } from '../../domain/article.ts'
import { PlatformError } from '../../domain/errors.ts'
import { cursorOf, keyOfCursor } from '../../platform/graphql/page.ts'
import type { ArticlePlace } from './stores.ts'

export const PAGE = { byDefault: 20, max: 100 }
const CURSOR = 'article'

export const cursorOfArticle = ({ publishedAtMs, id }: Article): string => cursorOf(CURSOR, `${publishedAtMs}|${id}`)

/** @throws INVALID_ARGUMENT where the cursor is not one of a list of articles. */
export function placeOfCursor(cursor: string | undefined): ArticlePlace | undefined {
  if (cursor === undefined) return undefined
  const [, publishedAt, id] = /^(\d{1,15})\|(.+)$/s.exec(keyOfCursor(CURSOR, cursor)) ?? []
  if (publishedAt === undefined || id === undefined)
    throw new PlatformError('INVALID_ARGUMENT', 'after must be a cursor that this list gave')
  return { publishedAtMs: Number(publishedAt), id }
}
