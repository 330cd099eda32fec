import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Lexer,
  Source,
  TokenKind,
} from 'graphql'
import type { Metrics } from '../platform/metrics.ts'
import { type DocumentLimits, documentLimitRules, limitExceeded } from './document-limits.ts'

/** What a document is measured by before anything runs: its tokens, depth and aliases, and whether its variables fit. */
export function useRequestChecks(limits: DocumentLimits, metrics: Metrics): GatewayPlugin {
  const rules = documentLimitRules(limits, metrics)
  return {
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
      for (const rule of rules) addValidationRule(rule)
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
