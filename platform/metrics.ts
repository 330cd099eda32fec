import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/**
 * Every metric of the platform, declared once. Base units, unit in the name, labels bounded: never a symbol, a user or a
 * record. Each process has one; tests make their own, so nothing is shared by accident.
 */
export type Metrics = ReturnType<typeof openMetrics>

const LATENCY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

export function openMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const seconds = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Histogram({ name, help, labelNames, registers, buckets: LATENCY_BUCKETS })

  return {
    registry,
    /** Event loop, memory and garbage collection of the process. Once per process. */
    collectProcess: () => collectDefaultMetrics({ register: registry }),

    ingestFacts: counter('ingest_facts_total', 'Facts produced to the bus.', ['source', 'topic']),
    ingestRejects: counter('ingest_rejects_total', 'What sources told that was not a fact.', ['source', 'topic']),
    ingestRetries: counter('ingest_retries_total', 'Calls repeated because the bus or the store failed.', [
      'source',
      'on',
    ]),
    ingestWaiting: gauge('ingest_waiting', '1 while a source stands still because the bus or the store is away.', [
      'source',
      'on',
    ]),

    ingestWithheld: counter('ingest_withheld_total', 'Facts that may not be told to the public.', ['source']),
    ingestSourceUp: gauge('ingest_source_up', '1 while a source is read.', ['source']),
    ingestSourceRestarts: counter('ingest_source_restarts_total', 'Times a source broke off and was started again.', [
      'source',
    ]),

    vendorRequests: counter('vendor_requests_total', 'Requests sent to vendors, retries included.', [
      'vendor',
      'outcome',
    ]),
    vendorRequestLatency: seconds('vendor_request_seconds', 'From sending a request to having its whole answer.', [
      'vendor',
    ]),
    vendorRetries: counter('vendor_retries_total', 'Requests that were tried again.', ['vendor']),
    vendorBreaker: gauge('vendor_breaker_open', '1 while nothing is asked of a vendor, 0.5 while it is probed.', [
      'vendor',
    ]),
    vendorCrowded: counter('vendor_crowded_total', 'Requests refused because too many waited for the vendor.', [
      'vendor',
    ]),
    quotaLeft: gauge('quota_left_requests', 'Requests that a key may still make now, by window.', ['budget', 'window']),
    quotaPaused: gauge('quota_paused_seconds', 'How long a vendor wants us to stay away from now.', ['budget']),
    quotaSaved: gauge('quota_saved_requests', 'Requests that asking all alike would have cost more.', ['source']),
    pollingFeeds: gauge('polling_feeds', 'Things a polled source asks for, and those it has put aside.', [
      'source',
      'state',
    ]),
    pollingSymbolsLeftOut: gauge('polling_symbols_left_out', 'Symbols of interest over the bound of a source.', [
      'source',
    ]),

    streamConnects: counter('stream_connects_total', 'Connections that were tried, by outcome.', ['source', 'outcome']),
    streamConnections: gauge('stream_connections', 'Sockets to a vendor, opening or open.', ['source']),
    streamSilences: counter('stream_silences_total', 'Times a stream said nothing for longer than it ever does.', [
      'source',
    ]),
    streamPauses: counter('stream_pauses_total', 'Times a socket was not read because too much waited.', ['source']),
    streamDuplicates: counter('stream_duplicates_total', 'Prints that came again.', ['source']),
    streamHeld: gauge('stream_held_prints', 'Prints that wait for those before them.', ['source']),
    streamNotHeld: counter('stream_not_held_total', 'Prints dropped because too many waited; had from history later.', [
      'source',
    ]),
    streamBackfilled: counter('stream_backfilled_total', 'Prints that came from history.', ['source']),
    streamGapPrints: counter('stream_gap_prints_total', 'Prints that could not be had.', ['source']),
    streamSkipped: counter('stream_skipped_total', 'Messages in the form of a trade that are none.', ['source']),

    busProduced: counter('bus_produced_records_total', 'Records acknowledged by the bus.', ['topic']),
    busProduceFailures: counter('bus_produce_failures_total', 'Rejected produce calls.', ['topic', 'code']),
    busBackpressure: counter('bus_backpressure_total', 'Produce calls that waited because the bus was at its bound.', [
      'topic',
    ]),
    busConsumerLag: gauge('bus_consumer_lag_records', 'Records between a group and the end of the log.', [
      'group',
      'topic',
    ]),
    busConsumerRestarts: counter('bus_consumer_restarts_total', 'Times a consumer had to join its group again.', [
      'group',
    ]),
    busSharedRecords: counter(
      'bus_shared_records_total',
      'Records that a consumer took from another one of its process, in place of fetching them itself.',
      ['group', 'topic'],
    ),
    busSharedMisses: counter(
      'bus_shared_misses_total',
      'Times a consumer had to fetch a partition itself again, as what it needed next was not held any more.',
      ['group', 'topic'],
    ),
    busAdminRestarts: counter(
      'bus_admin_restarts_total',
      'Times the client for questions about topics and offsets owed an answer and was replaced.',
    ),

    processorRecords: counter('processor_records_total', 'Records handled.', ['processor']),
    processorDuplicates: counter('processor_duplicates_total', 'Records dropped because they were handled before.', [
      'processor',
    ]),
    processorDeadLetters: counter('processor_dead_letters_total', 'Records given up on.', ['processor', 'code']),
    processorLate: counter('processor_late_records_total', 'Records after the allowed lateness.', ['processor']),
    processorTransactions: counter('processor_transactions_total', 'Transactions committed.', ['processor']),
    processorRollbacks: counter('processor_rollbacks_total', 'Transactions rolled back or in doubt.', ['processor']),
    processorFenced: counter('processor_fenced_total', 'Partitions refused by the compare-and-set.', [
      'processor',
      'why',
    ]),
    processorBackpressure: counter('processor_backpressure_total', 'Times intake waited for room in its queue.', [
      'processor',
    ]),
    processorWatermarkLag: gauge('processor_watermark_lag_seconds', 'Wall clock minus the lowest active watermark.', [
      'processor',
    ]),
    processorLatency: seconds('processor_latency_seconds', 'From ingest to stored and told.', ['processor']),
    qualityFound: counter('quality_found_total', 'What was found to know before trusting a price.', ['kind']),
    qualitySuppressed: counter(
      'quality_suppressed_total',
      'Findings not told, because the same was told just before.',
      ['kind'],
    ),
    qualityForgotten: counter(
      'quality_forgotten_total',
      'What is no longer watched because there was too much to watch.',
      ['what'],
    ),
    outboxWaiting: gauge('outbox_waiting_rows', 'Events stored and not yet on the bus.'),
    outboxRelayed: counter('outbox_relayed_total', 'Events moved from the outbox to the bus.', ['topic']),

    pubsubPublished: counter('pubsub_published_total', 'Events handed to the backend.', ['channel']),
    pubsubPublishFailures: counter('pubsub_publish_failures_total', 'Events lost because the backend was away.', [
      'channel',
    ]),
    pubsubSkippedTicks: counter('pubsub_skipped_ticks_total', 'Ticks stored but not told one by one, over the bound.'),
    pubsubSkippedFacts: counter('pubsub_skipped_facts_total', 'Facts stored but not told, in a backfill.', ['topic']),
    pubsubListeners: gauge('pubsub_listeners', 'Listeners in this process.', ['channel']),
    pubsubListenerFailures: counter('pubsub_listener_failures_total', 'Listeners that threw.', ['channel']),
    pubsubMalformed: counter('pubsub_malformed_total', 'Published messages that were not events of their channel.', [
      'channel',
    ]),
    pubsubReconnects: counter('pubsub_reconnects_total', 'Times a connection to the backend came back.', [
      'connection',
    ]),
    listenerDropped: counter('listener_dropped_total', 'Events a slow listener did not get, over its bound.', [
      'channel',
    ]),

    watchedSymbols: gauge('watched_symbols', 'Symbols that clients of this process listen to.', ['state']),

    storeLatency: seconds('store_query_seconds', 'Time of a store read.', ['query']),
    storeConnections: gauge('store_connections', 'Connections of the pool, and callers that wait for one.', ['state']),
    embeddedPostgresRestarts: counter(
      'embedded_postgres_restarts_total',
      'Times the embedded PostgreSQL went away and had to be brought back.',
    ),

    gatewaySockets: gauge('gateway_sockets', 'Open WebSocket connections.'),
    gatewaySubscriptions: gauge('gateway_subscriptions', 'Running subscriptions.'),
    gatewaySharedSources: gauge('gateway_shared_sources', 'Distinct executions behind the running subscriptions.'),
    gatewayRefused: counter('gateway_refused_total', 'Requests and subscriptions over a limit.', ['limit']),
    gatewaySkipped: counter(
      'gateway_skipped_total',
      'Subscription payloads a slow client did not get, over its bound.',
    ),
    gatewayTooSlow: counter('gateway_too_slow_total', 'Connections closed because their client did not read.'),
    gatewayDelivered: counter('gateway_delivered_total', 'Subscription payloads handed to a client.'),
    gatewayRequestLatency: seconds('gateway_request_seconds', 'Queries and mutations.', ['operation']),
  }
}
