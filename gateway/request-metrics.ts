import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import { getOperationAST } from 'graphql'
import type { Metrics } from '../platform/metrics.ts'

export function useRequestMetrics(metrics: Metrics): GatewayPlugin {
  return {
    onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName)?.operation ?? 'query'
      const observe = metrics.gatewayRequestLatency.startTimer({ operation })
      return {
        onExecuteDone: () => {
          observe()
        },
      }
    },
  }
}
