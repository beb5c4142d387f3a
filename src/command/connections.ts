/** `--connections` of `report` and `read`: connections instead of flows. */
import { type Command, Option } from 'commander';
import { parseCount } from '../config/index.ts';
import type { FlowBatch, MeasureOptions } from '../flow/index.ts';
import { connectionOf } from '../measure/index.ts';
import { compileFilter, type Filter } from '../query/index.ts';
import { formatConnections } from '../terminal/index.ts';

/** The words of the option as commander hands them over, and those of the report's that it heeds. */
export interface ConnectionsWords {
  readonly connections?: true;
  readonly json?: true;
  readonly top?: string;
}

/** What is measured for connections: nothing beside them. */
export const MEASURE_CONNECTIONS: Partial<MeasureOptions> = { measurements: ['connections'] };

/** Adds the option. */
export function addConnectionsOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--connections',
      'connections instead of flows: who opened it, when, for how long, how it ended',
    ).conflicts(['inner', 'outer', 'serve', 'interval']),
  );
}

/** How to print the connections of an epoch. @throws ConfigError naming the option and the value */
export function connectionsPrinter(words: ConnectionsWords, filter: Filter): (batch: FlowBatch) => string {
  const top =
    words.top === undefined ? undefined : parseCount('--top', words.top, { min: 1, max: 1_000_000 });
  const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  return ({ measurements, points }) => {
    if (!measurements) return '';
    const { connections: batch, unmeasuredPackets } = measurements;
    const fits = compileFilter(filter, points);
    const connections = Array.from({ length: batch.length }, (_, row) => row)
      .filter((row) => fits(batch.flows, row))
      .map((row) => connectionOf(batch, row));
    if (words.json) {
      const names = new Map(points.map(({ ifindex, interfaceName }) => [ifindex, interfaceName]));
      return connections
        .map(({ ifindex, ...connection }) =>
          JSON.stringify({
            interfaceName: names.get(ifindex) ?? String(ifindex),
            ...connection,
            start: new Date(connection.startMs).toISOString(),
          }),
        )
        .map((line) => `${line}\n`)
        .join('');
    }
    const missing =
      unmeasuredPackets === 0
        ? ''
        : `${unmeasuredPackets} packets are of no connection: too many at a time\n`;
    return formatConnections(connections, { top, colour }) + missing;
  };
}
