import {
  type DirectiveNode,
  GraphQLError,
  Kind,
  parse,
  type ValidationContext,
  type ValidationRule,
  valueFromASTUntyped,
} from 'graphql'

/**
 * Refuses fields that the subgraph has in its schema and does not answer by itself in the composed graph: they are another
 * subgraph's, or need something of one. What it lets through, beside GraphQL's own rules on the schema of the subgraph, can be
 * asked of the subgraph as it is.
 * @param supergraph with the directives of Apollo's join specification: https://specs.apollo.dev/join/v0.3
 */
export function soleSubgraph(supergraph: string): (subgraph: string) => ValidationRule {
  const answerers = answerersOf(supergraph)
  return (subgraph) => (context: ValidationContext) => ({
    Field(node) {
      const field = `${context.getParentType()?.name}.${node.name.value}`
      if (answerers.get(field)?.has(subgraph) === false)
        context.reportError(new GraphQLError(`${field} is not answered by ${subgraph} alone`, { nodes: node }))
    },
  })
}

/** The subgraphs that answer a field alone, by `Type.field`. Fields of which nothing is said are not here: all that have the type do. */
function answerersOf(supergraph: string): ReadonlyMap<string, ReadonlySet<string | undefined>> {
  const { definitions } = parse(supergraph, { noLocation: true })
  const names = new Map(
    definitions
      .flatMap((definition) => (definition.kind === Kind.ENUM_TYPE_DEFINITION ? (definition.values ?? []) : []))
      .flatMap((value) => joins(value, 'join__graph').map(({ name }) => [value.name.value, String(name)] as const)),
  )
  const answerers = new Map<string, ReadonlySet<string | undefined>>()
  for (const type of definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue
    for (const field of type.fields ?? []) {
      const said = joins(field, 'join__field')
      if (said.length === 0) continue
      const alone = said.filter(({ external, requires, usedOverridden }) => !(external || requires || usedOverridden))
      answerers.set(
        `${type.name.value}.${field.name.value}`,
        new Set(alone.map(({ graph }) => names.get(String(graph)))),
      )
    }
  }
  return answerers
}

const joins = (
  { directives = [] }: { readonly directives?: readonly DirectiveNode[] },
  name: string,
): Record<string, unknown>[] =>
  directives
    .filter((directive) => directive.name.value === name)
    .map(({ arguments: given = [] }) =>
      Object.fromEntries(given.map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)])),
    )
