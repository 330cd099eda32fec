import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import type { Metrics } from '../platform/metrics.ts'

export interface DocumentLimits {
  /** Fields inside fields; introspection does not count. */
  readonly depthMax: number
  /** Aliases in the whole document: each can make one field run once more. */
  readonly aliasesMax: number
  /** Words and signs of the document, counted before it is parsed. */
  readonly tokensMax: number
}

export const DOCUMENT_LIMITS: DocumentLimits = { depthMax: 12, aliasesMax: 50, tokensMax: 2_000 }

type Refused = Pick<Metrics, 'gatewayRefused'>

export function limitExceeded(metrics: Refused, limit: string, sentence: string): GraphQLError {
  metrics.gatewayRefused.inc({ limit })
  return new GraphQLError(sentence, { extensions: { code: 'LIMIT_EXCEEDED' } })
}

/** As validation rules, so a document is measured once and remembered with its validation. */
export const documentLimitRules = ({ depthMax, aliasesMax }: DocumentLimits, metrics: Refused): ValidationRule[] => [
  (context) => aliasRule(context, aliasesMax, metrics),
  (context) => depthRule(context, depthMax, metrics),
]

function aliasRule(context: ValidationContext, aliasesMax: number, metrics: Refused): ASTVisitor {
  let aliases = 0
  return {
    Field(node) {
      if (node.alias) aliases++
    },
    Document: {
      leave() {
        if (aliases > aliasesMax)
          context.reportError(
            limitExceeded(metrics, 'aliases', `A document may have at most ${aliasesMax} aliases, had ${aliases}`),
          )
      },
    },
  }
}

function depthRule(context: ValidationContext, depthMax: number, metrics: Refused): ASTVisitor {
  const depths = new Map<FragmentDefinitionNode, number>()
  const depthOf = (selections: SelectionSetNode | undefined): number =>
    Math.max(0, ...(selections?.selections ?? []).map(depthOfSelection))
  const depthOfSelection = (node: SelectionSetNode['selections'][number]): number => {
    if (node.kind === Kind.FIELD) return node.name.value.startsWith('__') ? 0 : 1 + depthOf(node.selectionSet)
    if (node.kind === Kind.INLINE_FRAGMENT) return depthOf(node.selectionSet)
    const fragment = context.getFragment(node.name.value)
    return fragment ? depthOfFragment(fragment) : 0
  }
  // Each fragment once, however often it is spread; in a circle, which another rule refuses, it counts as nothing.
  const depthOfFragment = (fragment: FragmentDefinitionNode): number => {
    const known = depths.get(fragment)
    if (known !== undefined) return known
    depths.set(fragment, 0)
    const depth = depthOf(fragment.selectionSet)
    depths.set(fragment, depth)
    return depth
  }
  return {
    OperationDefinition(node) {
      const depth = depthOf(node.selectionSet)
      if (depth > depthMax)
        context.reportError(
          limitExceeded(metrics, 'depth', `Fields may be at most ${depthMax} levels deep, were ${depth}`),
        )
    },
  }
}
