import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isScalarType,
  Lexer,
  type OperationDefinitionNode,
  Source,
  TokenKind,
  type ValidationContext,
  valueFromASTUntyped,
} from 'graphql'
import { CalendarDate } from '../platform/graphql/calendar-date.ts'
import { DateTime } from '../platform/graphql/date-time.ts'
import type { Metrics } from '../platform/metrics.ts'
import { type DocumentLimits, documentLimitRules, limitExceeded } from './document-limits.ts'

/**
 * What a document is measured by before anything runs: its tokens, depth and aliases, whether there are operations of its
 * kind, and whether its times and variables fit.
 */
export function useRequestChecks(limits: DocumentLimits, metrics: Metrics): GatewayPlugin {
  const rules = documentLimitRules(limits, metrics)
  return {
    onSchemaChange({ schema }) {
      for (const scalar of [DateTime, CalendarDate]) checkValues(schema, scalar)
    },
    onParse({ params }) {
      if (tokensOf(String(params.source), limits.tokensMax) > limits.tokensMax) {
        const sentence = `A document may have at most ${limits.tokensMax} words and signs; this one has more`
        throw limitExceeded(metrics, 'tokens', sentence)
      }
      // Over HTTP the runtime gives a syntax error its code; over WebSocket it forgets to.
      return ({ result }) => {
        if (result instanceof GraphQLError) result.extensions.code ??= 'GRAPHQL_PARSE_FAILED'
      }
    },
    onValidate({ addValidationRule }) {
      for (const rule of [...rules, servedOperations]) addValidationRule(rule)
    },
    onExecute({ args, setResultAndStopExecution }) {
      const errors = badInput(args)
      if (errors.length > 0) setResultAndStopExecution({ errors })
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const errors = badInput(args)
      if (errors.length > 0) setResultAndStopExecution({ errors })
    },
  }
}

/**
 * A composed schema knows only the names of scalars and lets any value through, which the subgraph then finds, as a failure
 * of ours. The value goes on as it was written: the subgraph reads it, not we.
 */
function checkValues(schema: GraphQLSchema, scalar: GraphQLScalarType): void {
  const type = schema.getType(scalar.name)
  if (!isScalarType(type)) return
  type.parseValue = (value) => {
    scalar.parseValue(value)
    return value
  }
  type.parseLiteral = (node, variables) => type.parseValue(valueFromASTUntyped(node, variables))
}

/** GraphQL's own rules leave it to the execution to miss a root type, and the planners call that a failure of theirs. */
const servedOperations = (context: ValidationContext) => ({
  OperationDefinition(node: OperationDefinitionNode) {
    if (context.getSchema().getRootType(node.operation)) return
    context.reportError(new GraphQLError(`There is no ${node.operation} here`, { nodes: node }))
  },
})

/** Counts no further than it must. Text that is not GraphQL counts as nothing: the parser says what is wrong with it. */
function tokensOf(text: string, max: number): number {
  const lexer = new Lexer(new Source(text))
  let tokens = 0
  try {
    while (tokens <= max && lexer.advance().kind !== TokenKind.EOF) tokens++
  } catch (error) {
    if (error instanceof GraphQLError) return 0
    throw error
  }
  return tokens
}

interface Operation {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName?: string | null
  readonly variableValues?: unknown
}

/** Variables that do not fit, as the client's mistake; the planners would find them too, as failures of ours. */
function badInput({ schema, document, operationName, variableValues }: Operation): GraphQLError[] {
  const operation = getOperationAST(document, operationName)
  if (!operation) return []
  const given = (variableValues ?? {}) as Record<string, unknown>
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: 10 })
  return errors.map(badUserInput)
}

const badUserInput = ({ message, nodes }: GraphQLError) =>
  new GraphQLError(message, { nodes, extensions: { code: 'BAD_USER_INPUT', http: { status: 400, spec: true } } })
