interface MetricName {
  name: string;
  labelNames?: readonly string[];
}

/** On every metric of a process: its role. */
export const ROLE_LABEL = 'role';

/**
 * Every metric of ours, by name and labels. Dashboards and alerts of others name them: they are never renamed
 * (test/frozen).
 */
export const COUNTERS = {
  carrierNews: { name: 'oms_carrier_news_total', labelNames: ['way', 'outcome'] },
  ingestRecords: { name: 'oms_ingest_records_total', labelNames: ['outcome'] },
  ingestRebalances: { name: 'oms_ingest_rebalances_total' },
  ingestOffsetAlerts: { name: 'oms_ingest_offset_alerts_total', labelNames: ['kind'] },
  deadLetters: { name: 'oms_dead_letters_total', labelNames: ['code'] },
  stockLevels: { name: 'oms_stock_levels_total', labelNames: ['outcome'] },
  priceChanges: { name: 'oms_price_changes_total' },
  activityFailures: { name: 'oms_activity_failures_total', labelNames: ['activity', 'code'] },
  outboxSent: { name: 'oms_outbox_sent_total', labelNames: ['topic'] },
  outboxHeld: { name: 'oms_outbox_held_total', labelNames: ['code'] },
  outboxRejectedSends: { name: 'oms_outbox_rejected_sends_total' },
} as const satisfies Record<string, MetricName>;

export const GAUGES = {
  httpStreamsOpen: { name: 'oms_http_streams_open' },
  carrierNewsParked: { name: 'oms_carrier_news_parked' },
  ingestLag: { name: 'oms_ingest_lag_records', labelNames: ['topic', 'partition'] },
  ingestOldestInFlight: { name: 'oms_ingest_oldest_in_flight_seconds' },
  ingestInFlight: { name: 'oms_ingest_in_flight_records' },
  ingestPaused: { name: 'oms_ingest_paused', labelNames: ['reason'] },
  ledgerOrders: { name: 'oms_ledger_orders', labelNames: ['state'] },
  stockShort: { name: 'oms_stock_short_pieces' },
  priceListVersion: { name: 'oms_price_list_version' },
  orders: { name: 'oms_orders', labelNames: ['status'] },
  outboxShardsHeld: { name: 'oms_outbox_shards_held' },
  outboxUnsent: { name: 'oms_outbox_unsent' },
  outboxHeld: { name: 'oms_outbox_held' },
  outboxOldestUnsent: { name: 'oms_outbox_oldest_unsent_seconds' },
} as const satisfies Record<string, MetricName>;

export const HISTOGRAMS = {
  httpRequest: { name: 'oms_http_request_seconds', labelNames: ['method', 'route', 'status'] },
  orderDuration: { name: 'oms_order_duration_seconds', labelNames: ['status'] },
  outboxDelay: { name: 'oms_outbox_delay_seconds' },
} as const satisfies Record<string, MetricName>;
