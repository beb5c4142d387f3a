/** The audit of a span: what interfaces counted, what hooks saw, and where all of it is, from the tables. */
import {
  addTo,
  counterUnit,
  type ExactCount,
  hintOf,
  insideOf,
  type LedgerTally,
  outsideOf,
  spanAnswer,
  type Tally,
  tally,
} from '../audit/index.ts';
import type { HistorySpan, PastAudit, PastAuditPoint } from '../query/index.ts';
import { auditStepsSql, ledgerOfPointsSql, recordedSql, seenSql } from './audit-sql.ts';
import { type ComparedSpan, type ComparedStep, exact, followedBy, readStep } from './audit-steps.ts';
import type { Catalogue, PointRow } from './catalogue.ts';
import type { Connection } from './database.ts';
import { coverSpan } from './pieces.ts';
import { levelOfStep, usualStepMs } from './steps.ts';

/** Most steps of an answer. */
const MOST_STEPS = 200;
/** Most points of an answer: where containers come and go there may be any number in a year. */
const MOST_POINTS = 500;

/** What is known of an interface of one name, in one direction, in a span: of all its lives. */
interface Known {
  readonly point: PointRow;
  /** Of its counters, where any are known. */
  kind: string;
  programs: readonly [before: string, after: string];
  compared: ComparedSpan | undefined;
  readonly steps: Map<number, ComparedSpan>;
  readonly seen: Tally;
  readonly recorded: Tally;
  readonly overflow: Tally;
  readonly ledger: Map<string, LedgerTally & Tally>;
}

/** Compares. The connection's transaction is to be of one moment with the catalogue. */
export async function answerAudit(
  span: HistorySpan,
  {
    connection,
    catalogue,
    intervalMs,
  }: {
    readonly connection: Connection;
    readonly catalogue: Catalogue;
    readonly intervalMs: number;
  },
): Promise<Omit<PastAudit, 'tookMs'>> {
  // Rows of flows are by far the most, and sums of all of them are all that is wanted: the coarsest tell that.
  const whole = coverSpan(span, { levels: catalogue, coarsest: 'hour', intervalMs });
  const stepMs = usualStepMs(whole.covered, { levels: catalogue, intervalMs, most: MOST_STEPS });
  const { pieces } = coverSpan(span, { levels: catalogue, coarsest: levelOfStep(stepMs), intervalMs });
  const known = new KnownPoints(catalogue.points);
  const rows = (sql: string) => connection.rows(sql, 'asking');
  if (catalogue.hasAudit)
    for (const row of await rows(auditStepsSql(pieces, stepMs))) known.addStep(readStep(row));
  for (const [point, packets, octets] of await rows(seenSql(whole.pieces)))
    addTo(known.of(Number(point)).seen, { packets: exact(packets), octets: exact(octets) });
  for (const [point, reason, layer, packets, octets] of await rows(ledgerOfPointsSql(whole.pieces)))
    known.addLedger(Number(point), {
      reason: String(reason),
      level: Number(layer),
      packets: exact(packets),
      octets: exact(octets),
    });
  for (const [point, packets, octets, ...overflow] of await rows(recordedSql(whole.pieces))) {
    const { recorded, overflow: without } = known.of(Number(point));
    addTo(recorded, { packets: exact(packets), octets: exact(octets) });
    addTo(without, { packets: exact(overflow[0]), octets: exact(overflow[1]) });
  }
  const { covered, gaps } = whole;
  const seconds = (covered.toMs - covered.fromMs) / 1000;
  const points = known.all().map((each) => ({ each, answer: pointAnswer(each, { seconds, stepMs }) }));
  const listed = new Set(points.toSorted(byRelevance).slice(0, MOST_POINTS));
  const sum = (name: 'packets' | 'octets'): number =>
    points.reduce((all, { answer }) => all + answer.unexplained[name], 0);
  return {
    covered,
    gaps: [...gaps],
    stepMs,
    points: points
      .filter((point) => listed.has(point))
      .toSorted((a, b) => byInterface(a.each.point, b.each.point))
      .map(({ answer }) => answer),
    isCut: points.length > listed.size,
    unexplained: { packets: sum('packets'), octets: sum('octets') },
  };
}

/** Stored points, those of one name and direction as one: each start of a meter stores its own. */
class KnownPoints {
  readonly #points: ReadonlyMap<number, PointRow>;
  readonly #known = new Map<string, Known>();

  constructor(points: readonly PointRow[]) {
    this.#points = new Map(points.map((point) => [point.id, point]));
  }

  of(id: number): Known {
    const point = this.#points.get(id)!;
    const { interfaceName, ifindex, direction } = point;
    const key = `${interfaceName ?? `#${ifindex}`} ${direction}`;
    const known = this.#known.get(key) ?? {
      point,
      kind: '',
      programs: ['', ''],
      compared: undefined,
      steps: new Map(),
      seen: tally(),
      recorded: tally(),
      overflow: tally(),
      ledger: new Map(),
    };
    // The newest says what it is.
    this.#known.set(key, known.point.id < id ? Object.assign(known, { point }) : known);
    return known;
  }

  /** Takes the steps of a stored point in order, one stored point after the other. */
  addStep(step: ComparedStep): void {
    const known = this.of(step.point);
    const { before, after } = step.programs;
    // Of one that was two kinds of devices nothing is known that holds for both but what holds for any.
    known.kind = known.compared && known.kind !== step.kind ? '' : step.kind;
    known.programs = [before || known.programs[0], after || known.programs[1]];
    known.compared = followedBy(known.compared, step);
    known.steps.set(step.fromMs, followedBy(known.steps.get(step.fromMs), step));
  }

  addLedger(id: number, line: LedgerTally): void {
    const { ledger } = this.of(id);
    const key = `${line.level} ${line.reason}`;
    const sum = ledger.get(key) ?? { ...tally(), reason: line.reason, level: line.level };
    addTo(sum, line);
    ledger.set(key, sum);
  }

  all(): Known[] {
    return [...this.#known.values()];
  }
}

const NOTHING = { packets: 0n, octets: 0n, wirePackets: 0n, wireOctets: 0n };

function pointAnswer(
  known: Known,
  { seconds, stepMs }: { readonly seconds: number; readonly stepMs: number },
): PastAuditPoint {
  const { point, kind, compared, seen, recorded, overflow } = known;
  const { direction, ifindex, isPrimary, interfaceName = `interface ${ifindex}` } = point;
  const place = { kind, direction };
  const ledger = [...known.ledger.values()];
  const hookSaw = compared?.hookSaw ?? NOTHING;
  const counted = compared?.counted;
  const inside = insideOf(seen, recorded, ledger);
  const steps = withoutUnderWay(
    [...known.steps]
      .map(([fromMs, step]) => ({ fromMs, ...outsideOf(step.counted, step.hookSaw, place) }))
      .toSorted((a, b) => a.fromMs - b.fromMs),
    stepMs,
  );
  const outside = outsideOfAll(outsideOf(counted, hookSaw, place), steps);
  const unexplained = (name: 'packets' | 'octets'): number => {
    const inSteps = steps.reduce((sum, step) => sum + absolute(step[name]), 0n);
    return Number(greater(absolute(outside[name]), inSteps) + absolute(inside[name]));
  };
  const [before, after] = known.programs.map((names) => (names === '' ? [] : names.split(', ')));
  const programs = { before: before!, after: after! };
  return {
    interfaceName,
    direction: direction === 0 ? 'ingress' : 'egress',
    kind,
    primary: isPrimary,
    unit: counterUnit(kind, direction).words,
    programs,
    span: spanAnswer({ seconds, counted, hookSaw, seen, recorded, overflow, ledger }, place, outside),
    comparedSeconds: (compared?.durationMs ?? 0) / 1000,
    steps: steps.map(({ fromMs, packets, octets }) => ({
      fromMs,
      packets: Number(packets),
      octets: Number(octets),
    })),
    unexplained: { packets: unexplained('packets'), octets: unexplained('octets') },
    hint: hintOf({ direction, interfaceName, programs }, { inside, outside: largest([outside, ...steps]) }),
  };
}

type Step = ExactCount & { readonly fromMs: number };

/** What one step has too many and the next one too few was under way between the two. Only steps in which anything is left. */
function withoutUnderWay(steps: readonly Step[], stepMs: number): Step[] {
  const left = steps.map((step) => ({ ...step }));
  for (const name of ['packets', 'octets'] as const)
    for (const [nth, step] of left.entries()) {
      const next = left[nth + 1];
      if (!next || next.fromMs !== step.fromMs + stepMs) continue;
      const [a, b] = [step[name], next[name]];
      if (a > 0n === b > 0n || a === 0n || b === 0n) continue;
      const both = lesser(absolute(a), absolute(b));
      step[name] += a > 0n ? -both : both;
      next[name] += b > 0n ? -both : both;
    }
  return left.filter(({ packets, octets }) => packets !== 0n || octets !== 0n);
}

function largest(counts: readonly ExactCount[]): ExactCount {
  return counts.reduce((most, each) => (absolute(each.octets) > absolute(most.octets) ? each : most));
}

/** Of what all of a span says and what its steps say together that which says more: both are no more than is true. */
function outsideOfAll(all: ExactCount, steps: readonly ExactCount[]): ExactCount {
  const larger = (name: 'packets' | 'octets'): bigint => {
    const inSteps = steps.reduce((sum, step) => sum + step[name], 0n);
    return absolute(inSteps) > absolute(all[name]) ? inSteps : all[name];
  };
  return { packets: larger('packets'), octets: larger('octets') };
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

interface Answered {
  readonly each: Known;
  readonly answer: PastAuditPoint;
}

/** What is unexplained first, then what saw most. */
function byRelevance({ answer: a }: Answered, { answer: b }: Answered): number {
  return b.unexplained.octets - a.unexplained.octets || b.span.seen.octets - a.span.seen.octets;
}

function byInterface(a: PointRow, b: PointRow): number {
  const [nameA, nameB] = [a.interfaceName ?? '', b.interfaceName ?? ''];
  return a.ifindex - b.ifindex || (nameA < nameB ? -1 : Number(nameA > nameB)) || a.direction - b.direction;
}
