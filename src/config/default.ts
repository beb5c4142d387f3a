import { DEFAULT_LABELS } from '../metrics/index.ts';

/** Defaults that the help of several commands says too. */
export const DEFAULT = {
  interval: '1s',
  flows: '131072',
  hook: 'auto',
  listen: '127.0.0.1:8080',
  jsonPeriod: '5s',
  measured: '16384',
  metricsLabels: DEFAULT_LABELS,
  metricsSeries: '1000',
  metricsIdle: '15m',
} as const;
