/** What is summed up of one observation point, and what is said of it. */
import { counterUnit, type ExactCount, hintOf, type SpanSum } from '../audit/index.ts';
import type { CounterLine } from '../flow/index.ts';
import type { AuditPoint } from '../query/index.ts';

/** Epochs that a difference stands before it is persistent: what was only under way has come by then. */
export const PERSISTENT_EPOCHS = 5;

/** An interface in one direction, while epochs are added. */
export interface Point {
  readonly ifindex: number;
  readonly direction: 0 | 1;
  interfaceName: string;
  primary: boolean;
  kind: string;
  present: boolean;
  programs: CounterLine['programs'];
  interval: SpanSum;
  readonly sinceStart: SpanSum;
  /** Differences since the start at the last epochs, newest last. */
  readonly differences: { readonly inside: ExactCount; readonly outside: ExactCount }[];
  /** What stood from when on: see {@link AuditPoint.changes}. */
  readonly changes: (ExactCount & { readonly atMs: number })[];
  /** What was told of it last, and when; undefined while all is explained. */
  told: (ExactCount & { readonly epoch: number }) | undefined;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** What has stood for {@link PERSISTENT_EPOCHS} epochs: the smallest of the last differences, while they have one sign. */
export function persistentOf({ differences }: Point): { inside: ExactCount; outside: ExactCount } {
  const none = { packets: 0n, octets: 0n };
  if (differences.length < PERSISTENT_EPOCHS) return { inside: none, outside: none };
  const settled = (side: 'inside' | 'outside'): ExactCount => ({
    packets: smallest(differences.map((each) => each[side].packets)),
    octets: smallest(differences.map((each) => each[side].octets)),
  });
  return { inside: settled('inside'), outside: settled('outside') };
}

/** Both differences together, absolute: neither hides the other. */
export function persistentSum(point: Point): ExactCount {
  const { inside, outside } = persistentOf(point);
  return {
    packets: absolute(inside.packets) + absolute(outside.packets),
    octets: absolute(inside.octets) + absolute(outside.octets),
  };
}

/** Changes of a point that are kept: the first, and the newest. */
const MOST_CHANGES = 50;

/** Writes down what stands now, where that is not what stood before. */
export function noteChange(point: Point, atMs: number): void {
  const { changes } = point;
  const { packets, octets } = persistentSum(point);
  const last = changes.at(-1) ?? { packets: 0n, octets: 0n };
  if (packets === last.packets && octets === last.octets) return;
  changes.push({ atMs, packets, octets });
  if (changes.length > MOST_CHANGES) changes.splice(1, 1);
}

/** The value nearest to 0, or 0 when they have not all the same sign. */
function smallest(values: readonly bigint[]): bigint {
  const [first = 0n, ...rest] = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const last = rest.at(-1) ?? first;
  return first > 0n ? first : last < 0n ? last : 0n;
}

/** The point as an answer. */
export function answerOf(point: Point): AuditPoint {
  const { kind, direction, programs, interval, sinceStart } = point;
  const { inside, outside } = persistentOf(point);
  const { packets, octets } = persistentSum(point);
  return {
    ifindex: point.ifindex,
    interfaceName: point.interfaceName,
    direction: direction === 0 ? 'ingress' : 'egress',
    kind,
    primary: point.primary,
    present: point.present,
    unit: counterUnit(kind, direction).words,
    programs: programs ? { before: [...programs.before], after: [...programs.after] } : null,
    interval: interval.answer(kind, direction),
    sinceStart: sinceStart.answer(kind, direction),
    persistent: { packets: Number(packets), octets: Number(octets) },
    changes: point.changes.map((each) => ({
      atMs: each.atMs,
      packets: Number(each.packets),
      octets: Number(each.octets),
    })),
    hint: hintOf(point, { inside, outside }),
  };
}
