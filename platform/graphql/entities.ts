import type { IResolvers } from '@graphql-tools/utils'
import { PlatformError } from '../../domain/errors.ts'

/** What another subgraph knows of one of our entities: its name and its key fields. */
export type Reference = Readonly<Record<string, unknown>> & { readonly __typename: string }

/**
 * For each entity type, from many references to as many entities in the same order, in one go. An `Error` in place of an
 * entity fails that entity alone.
 */
export type References = Readonly<Record<string, (references: readonly Reference[]) => Promise<readonly unknown[]>>>

/** A gateway asks for the entities of one page or one event; more than this at once is not a gateway of ours. */
const REPRESENTATIONS_MAX = 10_000

export function entityTypeDefs(references: References): string {
  const names = Object.keys(references)
  const service = 'type _Service { sdl: String! }\nextend type Query { _service: _Service! }'
  if (names.length === 0) return service
  return `${service}
    scalar _Any
    union _Entity = ${names.join(' | ')}
    extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`
}

/** The two fields of the Apollo Federation subgraph specification. */
export function entityResolvers(sdl: string, references: References): IResolvers {
  const _service = () => ({ sdl })
  if (Object.keys(references).length === 0) return { Query: { _service } }
  const typenames = new WeakMap<object, string>()
  return {
    Query: {
      _service,
      _entities: (_root: unknown, args: { representations: readonly unknown[] }) =>
        resolveEntities(args.representations, references, typenames),
    },
    _Entity: { __resolveType: (entity: object) => typenames.get(entity) },
  }
}

async function resolveEntities(
  representations: readonly unknown[],
  references: References,
  typenames: WeakMap<object, string>,
): Promise<unknown[]> {
  if (representations.length > REPRESENTATIONS_MAX)
    throw new PlatformError(
      'LIMIT_EXCEEDED',
      `At most ${REPRESENTATIONS_MAX} entities can be asked for at once, were ${representations.length}`,
    )
  const entities: unknown[] = representations.map(refusal(references))
  const places = Map.groupBy(
    representations.keys().filter((place) => entities[place] === undefined),
    (place) => (representations[place] as Reference).__typename,
  )
  const resolveType = async (typename: string, at: readonly number[]) => {
    const found = await references[typename](at.map((place) => representations[place] as Reference)).catch(
      (error: unknown) => at.map(() => error),
    )
    at.forEach((place, i) => {
      const entity = found[i] ?? null
      entities[place] = entity
      if (typeof entity === 'object' && entity !== null) typenames.set(entity, typename)
    })
  }
  await Promise.all(places.entries().map(([typename, at]) => resolveType(typename, at)))
  return entities
}

/** Undefined for what can be resolved; otherwise the error that takes its place. */
const refusal = (references: References) => (representation: unknown) => {
  const typename = isRecord(representation) ? representation.__typename : undefined
  if (typeof typename === 'string' && Object.hasOwn(references, typename)) return undefined
  return new PlatformError(
    'INVALID_ARGUMENT',
    `This subgraph has the entities ${Object.keys(references).join(', ')}, was asked for ${JSON.stringify(typename)}`,
  )
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
