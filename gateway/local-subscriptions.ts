import {
  createSourceEventStream,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type SelectionSetNode,
  specifiedRules,
  type ValidationRule,
  validate,
  valueFromASTUntyped,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import type { Started, SubscriptionRequest } from './shared-subscriptions.ts'
import { soleSubgraph } from './sole-subgraph.ts'
import type { SubgraphPlace } from './subgraph-executor.ts'

/**
 * Fields, with those of each fragment wherever it is spread. A compiled field takes about 2 KB and a twelfth of a millisecond;
 * a larger operation takes a plan, and its time goes into what it asks for.
 */
const FIELDS_MAX = 200

const DONE = { done: true, value: undefined } as const

interface LocalSubgraph {
  readonly schema: GraphQLSchema
  readonly rules: readonly ValidationRule[]
}

/**
 * Subscriptions that one subgraph of this process answers alone: compiled to a function once and asked of it directly. The
 * planner would take its result apart and put it together again for each event, and a GraphQL executor would read the
 * operation anew. `npm run bench -- delivery` measures what that is worth.
 */
export class LocalSubscriptions {
  readonly #subgraphs: readonly LocalSubgraph[]

  constructor(places: Readonly<Record<string, SubgraphPlace>>, supergraph: string) {
    const ruleFor = soleSubgraph(supergraph)
    this.#subgraphs = Object.entries(places).flatMap(([name, place]) =>
      place.kind === 'local' ? { schema: place.schema, rules: [...specifiedRules, ruleFor(name)] } : [],
    )
  }

  /** Undefined where it takes a plan: no subgraph of this process answers alone, it is large, or it does not compile. */
  start(request: SubscriptionRequest): Promise<Started> | undefined {
    const { document, operationName } = request
    const schema = this.#subgraphs.find(({ schema, rules }) => validate(schema, document, rules).length === 0)?.schema
    if (!schema || !hasFewFields(request)) return undefined
    const compiled = compileQuery(schema, document, operationName ?? undefined)
    return isCompiledQuery(compiled) ? subscribe(schema, request, compiled) : undefined
  }
}

async function subscribe(
  schema: GraphQLSchema,
  request: SubscriptionRequest,
  { query }: CompiledQuery,
): Promise<Started> {
  const { document, operationName } = request
  const variables = withDefaults(request)
  const opened = await createSourceEventStream({ schema, document, operationName, variableValues: variables })
  if (!(Symbol.asyncIterator in opened)) return opened
  const events = opened[Symbol.asyncIterator]()
  // The resolvers of a subgraph ask nothing of a context: what they need, they were made with.
  const context = {}
  const results: AsyncIterableIterator<ExecutionResult> = {
    next: async () => {
      const event = await events.next()
      return event.done ? DONE : { done: false, value: plain(await query(event.value, context, variables)) }
    },
    return: async () => {
      await events.return?.()
      return DONE
    },
    [Symbol.asyncIterator]: () => results,
  }
  return results
}

function hasFewFields({ document, operationName }: SubscriptionRequest): boolean {
  const fragments = new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition.selectionSet]] : [],
    ),
  )
  let count = 0
  const add = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (++count > FIELDS_MAX) return
      add(selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection.selectionSet)
    }
  }
  add(getOperationAST(document, operationName)?.selectionSet)
  return count <= FIELDS_MAX
}

/** The compiler asks for variables that are not null even where they have a default. */
function withDefaults({ document, operationName, variableValues }: SubscriptionRequest): Record<string, unknown> {
  const { variableDefinitions = [] } = getOperationAST(document, operationName) ?? {}
  const defaults = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
  )
  return { ...Object.fromEntries(defaults), ...(variableValues as Record<string, unknown> | undefined) }
}

/** The compiler makes errors of its own, which pass for GraphQL's and lack extensions. */
function plain(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result
  const errors = result.errors.map(
    ({ message, path, originalError }) => new GraphQLError(message, { path, originalError }),
  )
  return { ...result, errors }
}
