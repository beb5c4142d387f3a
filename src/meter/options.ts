/** How to meter, and what a meter tells. */
import type { MeasureOptions, TunnelPorts } from '../flow/index.ts';
import type { Filter } from '../query/index.ts';
import type { MeteredInterface } from './attachments.ts';
import type { TableFill } from './epoch-maps.ts';
import type { InterfacePatterns } from './interfaces.ts';
import type { ProgramRuns } from './loaded.ts';

/** How to meter. */
export interface MeterOptions {
  readonly interfaces: InterfacePatterns;
  /** Length of an epoch. */
  readonly intervalMs: number;
  /** UDP destination ports of tunnels; what is not named has its usual ones. */
  readonly ports?: Partial<TunnelPorts>;
  /** Most flows with IPv4 addresses only; those with IPv6 get half of it. */
  readonly flowCapacity: number;
  /** Which hook: tcx where the kernel has it, or one of the two. */
  readonly hook: 'auto' | 'tcx' | 'clsact';
  /** Name under /run/netns of the network namespace to meter; the calling thread moves there for good. */
  readonly namespace?: string | undefined;
  /** What is measured of flows beside what is counted; nothing unless said. */
  readonly measure?: Partial<MeasureOptions>;
  /** What is kept: flows that fit one of these; without any all are. */
  readonly rules?: readonly Filter[];
  /** Whether the kernel is to count how often and how long the programs run; it costs some 20 ns per packet. */
  readonly runStatistics?: boolean;
  /** Has programs and counts outlive the process, and takes over those of a former one. */
  readonly pins?: PinOptions | undefined;
}

/** What outlives the process, and for whom. */
export interface PinOptions {
  /** Whose meters follow each other: letters and digits, of the history they are read into. */
  readonly name: string;
  /** What a person calls it. */
  readonly label: string;
  /** The last epoch of each agent that is kept already. */
  readonly known: ReadonlyMap<string, number>;
}

/** What metering takes in the kernel, as of the newest epoch. */
export interface MeterCost {
  readonly tables: readonly TableFill[];
  /** Undefined where run statistics were not asked for. */
  readonly programs: readonly ProgramRuns[] | undefined;
}

/** What of it can change while the meter runs. */
export type MeterSettings = Pick<MeterOptions, 'interfaces' | 'intervalMs' | 'ports'>;

/** What the meter tells while it runs. */
export interface MeterListener {
  /** The set of metered interfaces changed. */
  interfaces?(now: readonly MeteredInterface[]): void;
  /** Something failed and metering goes on. */
  problem?(error: Error): void;
}
