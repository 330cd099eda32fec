import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import type { LocalSubscriptions } from './local-subscriptions.ts'
import type { SharedSubscriptions, StartSubscription } from './shared-subscriptions.ts'

/** Everything there is to subscribe to is the same for everybody. What depends on the viewer names the viewer here. */
const PUBLIC = 'public'

/** What the runtime needs to reach a subgraph. All else in a context is about one client. */
const CONTEXT_OF_NOBODY = ['fetch', 'log', 'logger', 'cwd', 'pubsub', 'cache'] as const

/** WebSocket and SSE meet here, below them both and above the planner, which is only asked where it takes a plan. */
export function useSharedSubscriptions(shared: SharedSubscriptions, local: LocalSubscriptions): GatewayPlugin {
  return {
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      const planned: StartSubscription = () => subscribeFn({ ...args, contextValue: nobodys(args.contextValue) })
      const start: StartSubscription = () => local.start(args) ?? planned()
      setSubscribeFn(() => shared.join(args, PUBLIC, start))
    },
  }
}

const nobodys = (context: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(CONTEXT_OF_NOBODY.filter((key) => key in context).map((key) => [key, context[key]]))
