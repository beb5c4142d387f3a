/** Rows of the audit: what interfaces counted in a period, beside what the hooks saw in the same epochs. */
import { type Compared, comparedOf, type Sums } from '../audit/index.ts';
import type { CounterReading, CounterValues, FlowBatch } from '../flow/index.ts';
import type { Joining } from './columns.ts';
import { text, whole } from './sql.ts';

/** Members of a stored reading, by what they are of a {@link CounterReading}. */
export const READING_MEMBERS = {
  packets: ['before', 'packets'],
  octets: ['before', 'octets'],
  dropped: ['before', 'dropped'],
  waiting: ['before', 'waiting'],
  later_packets: ['after', 'packets'],
  later_octets: ['after', 'octets'],
  later_dropped: ['after', 'dropped'],
  later_waiting: ['after', 'waiting'],
} as const satisfies Record<string, readonly [keyof CounterReading, keyof CounterValues]>;
type ReadingMember = keyof typeof READING_MEMBERS;
const MEMBERS = Object.keys(READING_MEMBERS) as ReadingMember[];

/** The epoch comes first: of some readings the smallest is the earliest. */
const READING = `STRUCT(${['epoch', ...MEMBERS].map((name) => `${name} UBIGINT`).join(', ')})`;

const column = (name: string, type: string, joining: Joining, meaning: string) => ({
  name,
  type,
  joining,
  meaning,
});

/** Columns of a row. */
export const AUDIT_COLUMNS = [
  column('period', 'TIMESTAMP', 'key', 'as of flow'),
  column('point', 'UINTEGER', 'key', 'as of flow'),
  column('kind', 'VARCHAR', 'key', 'of its device: `veth`, `vxlan`, …; empty: not known'),
  column('programs_before', 'VARCHAR', 'max', 'names of programs that ran before ours, at some time'),
  column('programs_after', 'VARCHAR', 'max', 'and after it'),
  column('epochs', 'UBIGINT', 'sum', 'that are compared'),
  column('duration_ms', 'UBIGINT', 'sum', 'how long these were'),
  column('packets', 'UBIGINT', 'sum', 'the interface counted, by the first of two readings at each end'),
  column('octets', 'UBIGINT', 'sum', 'the same'),
  column('later_packets', 'UBIGINT', 'sum', 'by the second reading: where it differs from the first one’s'),
  column('began', READING, 'min', 'reading at the beginning; its epoch is the one before'),
  column('ended', READING, 'max', 'reading at the end'),
  column('seen_packets', 'UBIGINT', 'sum', 'the hook saw in these epochs, as the stack held them'),
  column('seen_octets', 'UBIGINT', 'sum', 'the same'),
  column('wire_packets', 'UBIGINT', 'sum', 'the same on the wire'),
  column('wire_octets', 'UBIGINT', 'sum', 'the same'),
] as const;

/** An end of some epochs: the epoch that it ended. */
interface StoredReading {
  readonly epoch: number;
  readonly reading: CounterReading;
}

/** Sums of one point in one period, while epochs are added. */
interface AuditRow {
  readonly point: number;
  readonly kind: string;
  programs: readonly [before: string, after: string];
  epochs: number;
  durationMs: number;
  packets: bigint;
  octets: bigint;
  laterPackets: bigint;
  began: StoredReading;
  ended: StoredReading;
  hookSaw: Sums;
}

/** What was compared in one period. */
export class AuditRows {
  readonly #rows = new Map<string, AuditRow>();

  /** @param idOf the stored point of an interface and direction */
  add(batch: FlowBatch, idOf: (ifindex: number, direction: number) => number): void {
    // A reading at a beginning is named by the epoch before.
    if (batch.epoch < 1) return;
    for (const compared of comparedOf(batch)) {
      const row = rowOf(compared, batch, idOf(compared.ifindex, compared.direction));
      const key = `${row.point}/${row.kind}`;
      const known = this.#rows.get(key);
      this.#rows.set(key, known ? joined(known, row) : row);
    }
  }

  /** Values of the columns behind the period, as SQL. */
  *values(): Generator<string[]> {
    for (const row of this.#rows.values()) {
      const { hookSaw } = row;
      yield [
        whole(row.point),
        text(row.kind),
        ...row.programs.map(text),
        ...[row.epochs, row.durationMs, row.packets, row.octets, row.laterPackets].map(whole),
        readingSql(row.began),
        readingSql(row.ended),
        ...[hookSaw.packets, hookSaw.octets, hookSaw.wirePackets, hookSaw.wireOctets].map(whole),
      ];
    }
  }
}

function rowOf(
  { kind, programs, begin, end, hookSaw }: Compared,
  { epoch, startMs, endMs }: FlowBatch,
  point: number,
): AuditRow {
  return {
    point,
    kind,
    programs: [programs?.before.join(', ') ?? '', programs?.after.join(', ') ?? ''],
    epochs: 1,
    durationMs: Math.round(Math.max(0, endMs - startMs)),
    packets: end.before.packets - begin.before.packets,
    octets: end.before.octets - begin.before.octets,
    laterPackets: end.after.packets - begin.after.packets,
    began: { epoch: epoch - 1, reading: begin },
    ended: { epoch, reading: end },
    hookSaw,
  };
}

/** As the store joins rows of a level to the next. */
function joined(a: AuditRow, b: AuditRow): AuditRow {
  const latest = (nth: 0 | 1): string => [a.programs[nth], b.programs[nth]].toSorted()[1]!;
  return {
    ...a,
    programs: [latest(0), latest(1)],
    epochs: a.epochs + b.epochs,
    durationMs: a.durationMs + b.durationMs,
    packets: a.packets + b.packets,
    octets: a.octets + b.octets,
    laterPackets: a.laterPackets + b.laterPackets,
    began: a.began.epoch <= b.began.epoch ? a.began : b.began,
    ended: a.ended.epoch >= b.ended.epoch ? a.ended : b.ended,
    hookSaw: {
      packets: a.hookSaw.packets + b.hookSaw.packets,
      octets: a.hookSaw.octets + b.hookSaw.octets,
      wirePackets: a.hookSaw.wirePackets + b.hookSaw.wirePackets,
      wireOctets: a.hookSaw.wireOctets + b.hookSaw.wireOctets,
    },
  };
}

function readingSql({ epoch, reading }: StoredReading): string {
  const members = MEMBERS.map((name): [string, bigint] => {
    const [time, value] = READING_MEMBERS[name];
    return [name, reading[time][value]];
  });
  return `{${[['epoch', epoch] as const, ...members].map(([name, value]) => `'${name}': ${whole(value)}`).join(', ')}}`;
}
