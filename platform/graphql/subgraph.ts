import 'reflect-metadata'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { printSchemaWithDirectives } from '@graphql-tools/utils'
import type { GraphQLSchema } from 'graphql'
import { buildSchema, createResolversMap } from 'type-graphql'
import { entityResolvers, entityTypeDefs, type References } from './entities.ts'

const LINK = `extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.6"
    import: ["@key", "@shareable", "@external", "@requires", "@provides", "@authenticated", "@requiresScopes", "@tag", "@inaccessible"]
  )`

export interface Subgraph {
  readonly name: string
  readonly schema: GraphQLSchema
  /** Without the federation's own fields: what is composed, and committed as `schema.graphql`. */
  readonly sdl: string
}

export interface SubgraphOptions {
  readonly name: string
  /** Instances of type-graphql resolver classes, made with what they need. */
  readonly resolvers: readonly [object, ...object[]]
  readonly references: References
}

type ResolverClass<T> = abstract new (...args: never[]) => T

const instancesOf = new WeakMap<GraphQLSchema, ReadonlyMap<unknown, object>>()

/** For the `subscribe` of a subscription, which type-graphql calls without an instance. */
export function resolverOf<T extends object>(schema: GraphQLSchema, resolverClass: ResolverClass<T>): T {
  const instance = instancesOf.get(schema)?.get(resolverClass)
  if (!(instance instanceof resolverClass)) throw new Error(`${resolverClass.name} is not a resolver of this subgraph`)
  return instance
}

/** A federation 2 subgraph out of type-graphql classes. */
export async function buildSubgraph({ name, resolvers, references }: SubgraphOptions): Promise<Subgraph> {
  const instances = new Map<unknown, object>(resolvers.map((resolver) => [resolver.constructor, resolver]))
  const [first, ...rest] = resolvers
  const described = await buildSchema({
    resolvers: [first.constructor, ...rest.map((resolver) => resolver.constructor)],
    container: { get: (resolverClass) => instances.get(resolverClass) },
    pubSub: everySubscriptionBringsItsOwnSource,
    validate: false,
    // A directive like @key is only known once the subgraph is composed.
    skipCheck: true,
  })
  const types = printSchemaWithDirectives(described)
  const sdl = `${LINK}\n\n${types}\n`
  const schema = makeExecutableSchema({
    typeDefs: [types, entityTypeDefs(references)],
    resolvers: [createResolversMap(described), entityResolvers(sdl, references)],
    assumeValidSDL: true,
  })
  instancesOf.set(schema, instances)
  return { name, schema, sdl }
}

/** type-graphql insists on one as soon as there is a subscription, also where none uses it. */
const everySubscriptionBringsItsOwnSource = {
  publish: (): never => refuse(),
  subscribe: (): never => refuse(),
}

function refuse(): never {
  throw new Error('A subscription must open its own source with `subscribe`')
}
