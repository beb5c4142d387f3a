/** What was compared in single steps of a span, per observation point, as it comes from the tables. */
import type { DuckDBValue } from '@duckdb/node-api';
import { Counted, type Sums } from '../audit/index.ts';
import type { CounterReading } from '../flow/index.ts';
import { READING_MEMBERS } from './audit-rows.ts';
import { READING, STEP_SUMS } from './audit-sql.ts';
import type { Row } from './database.ts';

/** Both sides of some epochs. */
export interface ComparedSpan {
  readonly durationMs: number;
  readonly counted: Counted;
  readonly hookSaw: Sums;
}

/** One step of one stored point. */
export interface ComparedStep extends ComparedSpan {
  readonly point: number;
  readonly kind: string;
  readonly programs: { readonly before: string; readonly after: string };
  readonly fromMs: number;
}

/** Both one behind the other. */
export function followedBy(a: ComparedSpan | undefined, b: ComparedSpan): ComparedSpan {
  if (!a) return b;
  return {
    durationMs: a.durationMs + b.durationMs,
    counted: a.counted.followedBy(b.counted),
    hookSaw: {
      packets: a.hookSaw.packets + b.hookSaw.packets,
      octets: a.hookSaw.octets + b.hookSaw.octets,
      wirePackets: a.hookSaw.wirePackets + b.hookSaw.wirePackets,
      wireOctets: a.hookSaw.wireOctets + b.hookSaw.wireOctets,
    },
  };
}

/** A row of {@link auditStepsSql}. */
export function readStep(row: Row): ComparedStep {
  const [point, kind, before, after, fromMs, ...rest] = row;
  const numbers = rest.map(exact);
  const take = (count: number): bigint[] => numbers.splice(0, count);
  const [durationMs, packets, octets, wirePackets, wireOctets] = take(STEP_SUMS.length) as FixedRow<5>;
  const [leastPackets, leastOctets, mostPackets, mostOctets] = take(4) as FixedRow<4>;
  const [dropped, waitingBefore, waitingAfter] = take(3) as FixedRow<3>;
  const sums = { leastPackets, leastOctets, mostPackets, mostOctets, dropped, waitingBefore, waitingAfter };
  const begin = readReading(take(READING.length));
  const end = readReading(take(READING.length));
  return {
    point: Number(point),
    kind: String(kind),
    programs: { before: String(before), after: String(after) },
    fromMs: Number(fromMs),
    durationMs: Number(durationMs),
    counted: new Counted(begin, end, sums),
    hookSaw: { packets, octets, wirePackets, wireOctets },
  };
}

type FixedRow<Length extends 3 | 4 | 5> = {
  3: [bigint, bigint, bigint];
  4: [bigint, bigint, bigint, bigint];
  5: [bigint, bigint, bigint, bigint, bigint];
}[Length];

/** A count of SQL, whatever its type. */
export function exact(value: DuckDBValue | undefined): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new TypeError(`${String(value)} is no whole number`);
}

/** Its epoch comes first. */
function readReading([, ...values]: readonly bigint[]): CounterReading {
  const none = { packets: 0n, octets: 0n, dropped: 0n, waiting: 0n };
  const reading = { before: { ...none }, after: { ...none } };
  for (const [nth, [time, name]] of Object.values(READING_MEMBERS).entries())
    reading[time][name] = values[nth]!;
  return reading;
}
