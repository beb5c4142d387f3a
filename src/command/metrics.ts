/** What `/metrics` tells of the traffic, and what may be asked of the kernel for it. */
import type { Command } from 'commander';
import type { MetricsOptions } from '../agent.ts';
import { type MeterConfig, parseCount, parseDuration, parseLabels, parseMeasurables } from '../config.ts';
import { MEASURABLES } from '../flow/index.ts';
import { DEFAULT_LABELS, LABEL_GROUP_NAMES } from '../metrics/index.ts';

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
      DEFAULT_LABELS.join(','),
    )
    .option('--metrics-series <count>', 'most series of each traffic family; the rest is "other"', '1000')
    .option('--metrics-idle <duration>', 'a series without traffic for so long goes', '15m')
    .option('--measure <list>', `what is measured of flows beside counting them: ${MEASURABLES.join(', ')}`)
    .option('--measured <count>', 'flows (both ways) followed at a time for that', '16384')
    .option('--legacy-metrics', 'also the gauges tcp_throughput, udp_goodput, icmp_count, … of old')
    .option(
      '--run-time-statistics',
      'have the kernel count how long the programs run (some 20 ns per packet)',
    );
}

/** @throws ConfigError naming the option and the value. */
export function metricsOf(words: MetricsWords): MetricsOptions {
  return {
    traffic: {
      labels: parseLabels('--metrics-labels', words.metricsLabels),
      maxSeries: parseCount('--metrics-series', words.metricsSeries, { min: 1, max: 100_000 }),
      idleMs: parseDuration('--metrics-idle', words.metricsIdle),
    },
    legacy: words.legacyMetrics ?? false,
  };
}

/** What is asked of the meter for it. @throws ConfigError naming the option and the value. */
export function measuringOf(words: MetricsWords): Pick<MeterConfig, 'measure' | 'runStatistics'> {
  const capacity = parseCount('--measured', words.measured, { min: 16, max: 1_048_576 });
  return {
    runStatistics: words.runTimeStatistics ?? false,
    ...(words.measure !== undefined && {
      measure: { measurements: parseMeasurables('--measure', words.measure), capacity },
    }),
  };
}
