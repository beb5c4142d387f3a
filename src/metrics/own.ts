/** What metering itself takes: time per packet in the kernel, room in its tables, lag, CPU and memory of the process. */
import { counter, type Family, gauge, labelText } from './exposition.ts';

/** The agent's own cost, as of the newest epoch; what is not known is not there. */
export interface OwnCost {
  /** Runs of the programs since they were loaded; undefined where the kernel does not count them. */
  readonly programs:
    | readonly { readonly name: string; readonly runs: bigint; readonly runTimeNs: bigint }[]
    | undefined;
  /** Places used in the newest epoch, and places there are. */
  readonly tables: readonly { readonly name: string; readonly used: number; readonly capacity: number }[];
  /** From the end of the newest epoch to its having been taken in by the view. */
  readonly lagSeconds: number | undefined;
  /** User and system time of all threads since the start. */
  readonly cpuSeconds: number;
  readonly residentOctets: number;
}

/** The cost as families. */
export function ownFamilies(cost: OwnCost): Family[] {
  const { programs, tables, lagSeconds, cpuSeconds, residentOctets } = cost;
  const one = (value: number) => [{ labels: '', value }];
  const perProgram = (of: (program: NonNullable<typeof programs>[number]) => number) =>
    programs!.map((program) => ({ labels: labelText({ program: program.name }), value: of(program) }));
  const perTable = (of: (table: (typeof tables)[number]) => number) =>
    tables.map((table) => ({ labels: labelText({ table: table.name }), value: of(table) }));
  return [
    ...(programs === undefined
      ? []
      : [
          counter(
            'program_runs_total',
            'Runs of a program in the kernel: frames at its hook.',
            perProgram(({ runs }) => Number(runs)),
          ),
          counter(
            'program_run_seconds_total',
            'Time spent in these runs; divided by them it is the time per frame.',
            perProgram(({ runTimeNs }) => Number(runTimeNs) / 1e9),
          ),
        ]),
    gauge(
      'table_used',
      'Places of a kernel table that were used in the newest epoch.',
      perTable(({ used }) => used),
    ),
    gauge(
      'table_capacity',
      'Places of a kernel table.',
      perTable(({ capacity }) => capacity),
    ),
    ...(lagSeconds === undefined
      ? []
      : [
          gauge(
            'epoch_lag_seconds',
            'From the end of the newest epoch until the view had it.',
            one(lagSeconds),
          ),
        ]),
    process('counter', 'process_cpu_seconds_total', 'User and system time of the agent.', cpuSeconds),
    process('gauge', 'process_resident_memory_bytes', 'Resident memory of the agent.', residentOctets),
  ];
}

/** Under the names that every Prometheus client has for them. */
function process(kind: 'counter' | 'gauge', name: string, help: string, value: number): Family {
  return { kind, name, help, samples: [{ labels: '', value }] };
}
