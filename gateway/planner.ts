import { unifiedGraphHandler } from '@graphql-hive/router-runtime'
import type { UnifiedGraphHandler } from '@graphql-mesh/fusion-runtime'
import type { Log } from '../platform/log.ts'

export type PlannerName = 'rust' | 'js'

export interface Planner {
  readonly name: PlannerName
  /** Undefined: the gateway runtime's own, in JavaScript. */
  readonly handler: UnifiedGraphHandler | undefined
}

const NATIVE_ADDON = '@graphql-hive/router-query-planner'

/**
 * The Rust planner halves the cost of a query. It is a native addon without a build for musl and Windows; there the
 * JavaScript planner takes over, unless Rust was asked for by name.
 */
export async function choosePlanner(
  wanted: PlannerName | 'auto',
  log: Log,
  load: () => Promise<unknown> = () => import(NATIVE_ADDON),
): Promise<Planner> {
  if (wanted === 'js') return { name: 'js', handler: undefined }
  try {
    await load()
    return { name: 'rust', handler: unifiedGraphHandler }
  } catch (error) {
    if (wanted === 'rust') throw error
    log.warn({ err: error }, 'No Rust query planner for this machine: planning in JavaScript, about half as fast')
    return { name: 'js', handler: undefined }
  }
}
