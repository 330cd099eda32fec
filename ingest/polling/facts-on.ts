import type { Fact, FactTopic, Topics } from '../../platform/bus/topics.ts'
import type { ItemsRead } from '../json-answer.ts'
import type { FeedAnswer } from './feed.ts'

/** What a parser read, on its way to a topic. */
export const factsOn = <T extends FactTopic>(
  topic: T,
  { facts, rejects }: ItemsRead<Topics[T]>,
): Pick<FeedAnswer, 'facts' | 'rejects'> => ({
  // TypeScript does not see that a topic and its event stay together in a union over both.
  facts: facts.map((event) => ({ topic, event }) as unknown as Fact),
  rejects,
})

/** Rejects and nothing else: see `FeedAnswer.isUnread`. */
export const isUnread = ({ facts, rejects }: ItemsRead<unknown>): boolean => facts.length === 0 && rejects.length > 0
