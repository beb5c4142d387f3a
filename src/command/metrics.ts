/** What `/metrics` tells of the traffic, and what may be asked of the kernel for it. */
import type { Command } from 'commander';
import type { MetricsOptions } from '../agent.ts';
import { type Configuration, DEFAULT } from '../config/index.ts';
import { MEASURABLES } from '../flow/index.ts';
import { LABEL_GROUP_NAMES } from '../metrics/index.ts';

/** The words of the metrics options as commander hands them over. */
export interface MetricsWords {
  readonly metricsLabels: string;
  readonly metricsSeries: string;
  readonly metricsIdle: string;
  readonly legacyMetrics?: boolean;
  readonly runTimeStatistics?: boolean;
  readonly measure?: string;
  readonly measured: string;
}

/** Adds the options of what serves metrics. */
export function addMetricsOptions(command: Command): Command {
  return command
    .option(
      '--metrics-labels <list>',
      `what traffic is told apart by at /metrics: ${LABEL_GROUP_NAMES.join(', ')}`,
      DEFAULT.metricsLabels.join(','),
    )
    .option(
      '--metrics-series <count>',
      'most series of each traffic family; the rest is "other"',
      DEFAULT.metricsSeries,
    )
    .option('--metrics-idle <duration>', 'a series without traffic for so long goes', DEFAULT.metricsIdle)
    .option('--measure <list>', `what is measured of flows beside counting them: ${MEASURABLES.join(', ')}`)
    .option('--measured <count>', 'flows (both ways) followed at a time for that', DEFAULT.measured)
    .option('--legacy-metrics', 'also the gauges tcp_throughput, udp_goodput, icmp_count, … of old')
    .option(
      '--run-time-statistics',
      'have the kernel count how long the programs run (some 20 ns per packet)',
    );
}

/** What is made of the traffic for them. */
export function metricsOf({ metrics }: Configuration): MetricsOptions {
  const { labels, series, idle, legacy } = metrics;
  return { traffic: { labels, maxSeries: series, idleMs: idle }, legacy };
}
