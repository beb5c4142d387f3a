/** What of the configuration each part of the program is given. */
import { DEFAULT_MEASURE, type Measurable, type MeasureOptions, type TunnelPorts } from '../flow/index.ts';
import type { Listen } from '../listen.ts';
import type { Filter } from '../query/index.ts';
import type { Configuration } from './schema.ts';

/** What every command that meters takes. */
export interface MeterConfig {
  readonly interfaces: readonly string[];
  readonly intervalMs: number;
  /** UDP destination ports of tunnels; those the host itself uses are added. */
  readonly ports: Partial<TunnelPorts>;
  readonly flowCapacity: number;
  readonly hook: 'auto' | 'tcx' | 'clsact';
  readonly namespace: string | undefined;
  /** What is measured of flows beside what is counted; nothing unless said. */
  readonly measure?: Partial<MeasureOptions>;
  /** Flows that fit one of these are kept; without any all are. */
  readonly rules: readonly Filter[];
  /** Whether the kernel counts how long the programs run. */
  readonly runStatistics?: boolean;
}

/** Where and how to serve the page. */
export interface ServeConfig {
  readonly listen: Listen;
  /** File with the access token; without it a non-loopback address gets a generated one. */
  readonly tokenFile: string | undefined;
  /** File with the token for changing things; without it nobody can. */
  readonly adminTokenFile: string | undefined;
  /** False: the user said out loud that everyone who reaches the address may read. */
  readonly auth: boolean;
  readonly allowHosts: readonly string[];
}

/** How what is metered is kept. */
export interface HistoryConfig {
  readonly directory: string;
  readonly intervalMs: number;
  readonly retention: { readonly rawMs: number; readonly minuteMs: number; readonly hourMs: number };
  readonly maxOctets: number;
  readonly maxSpoolOctets: number;
}

/** The part of the history; undefined where none is kept. */
export function historyConfigOf({ history }: Configuration): HistoryConfig | undefined {
  const { directory, interval, retention, size, spool } = history;
  if (directory === undefined) return undefined;
  return {
    directory,
    intervalMs: interval,
    retention: { rawMs: retention.raw, minuteMs: retention.minute, hourMs: retention.hour },
    maxOctets: size,
    maxSpoolOctets: spool,
  };
}

/** Where names of addresses are looked for. */
export interface NamesConfig {
  /** Undefined: in no such file. */
  readonly hosts: string | undefined;
  readonly labels: string | undefined;
  readonly dns: boolean;
}

/** The part of the names. */
export function namesConfigOf({ names: { hosts, labels, dns } }: Configuration): NamesConfig {
  return { hosts: hosts === false ? undefined : hosts, labels, dns };
}

/** The part of the meter. */
export function meterConfigOf(configuration: Configuration): MeterConfig {
  const { interfaces, interval, ports, flows, hook, namespace, rules, metrics } = configuration;
  // A kind that is named with nothing has its usual ports, as one that is not named.
  const named = Object.entries(ports).filter(([, list]) => list !== undefined);
  return {
    interfaces,
    intervalMs: interval,
    ports: Object.fromEntries(named) as Partial<TunnelPorts>,
    flowCapacity: flows,
    hook,
    namespace,
    rules: rules.map(({ filter }) => filter),
    runStatistics: metrics.runTime,
    ...measureOf(configuration),
  };
}

/** State from packet to packet is kept only where its figures go somewhere: to the metrics, or into the data log. */
function measureOf({ log, measure }: Configuration): Pick<MeterConfig, 'measure'> {
  const { what, flows, idle, gaps, display } = measure;
  const { pattern, offset, threshold } = measure.sequence;
  const form = pattern === undefined ? 'offset' : 'pattern';
  const measurements = new Set<Measurable>(what);
  if (log.data.file !== undefined) {
    if (display.includes('jitter')) measurements.add('arrivals');
    if (display.includes('sequence') && offset !== undefined) measurements.add('sequence');
  }
  if (measurements.size === 0) return {};
  return {
    measure: {
      measurements: [...measurements],
      capacity: flows,
      idleMs: idle,
      resetMs: gaps.reset,
      sequence: {
        ...DEFAULT_MEASURE.sequence,
        threshold,
        ...(offset !== undefined && {
          udp: [{ firstPort: 0, lastPort: 65_535, form }],
          icmp: form,
          offset,
          pattern: pattern ?? 0,
        }),
      },
    },
  };
}
