/** The audit's metrics: of each observation point what was seen, where it is, and what is unexplained. */
import type { AuditPart, AuditPoint } from '../query/index.ts';
import { counter, type Family, gauge, labelText, type Sample } from './exposition.ts';

type Measure = 'packets' | 'octets';

const MEASURES = [
  ['packets', 'Frames'],
  ['octets', 'Octets'],
] as const;

/** Families that every observation point has, as its part of what was seen. */
const SUMS = [
  ['seen', 'seen by the hook', ({ sinceStart }: AuditPoint) => sinceStart.seen],
  ['recorded', 'in flow records', ({ sinceStart }: AuditPoint) => sinceStart.recorded],
  [
    'overflow',
    'in flow records without detail, because the flow table was full; part of recorded',
    ({ sinceStart }: AuditPoint) => sinceStart.overflow,
  ],
] as const;

/** What `/api/v1/audit` says of its points, as families. No label comes from a packet. */
export function auditFamilies(points: readonly AuditPoint[]): Family[] {
  return [
    gauge(
      'observation_point',
      'An interface in one direction: 1 while it is metered, 0 once it is gone.',
      points.map((point) => ({
        labels: labelText({ ...placeOf(point), kind: point.kind, primary: String(point.primary) }),
        value: Number(point.present),
      })),
    ),
    ...MEASURES.flatMap(([measure, words]) => measureFamilies(points, measure, words)),
  ];
}

function measureFamilies(points: readonly AuditPoint[], measure: Measure, words: string): Family[] {
  return [
    ...SUMS.map(([name, meaning, of]) =>
      counter(
        `${name}_${measure}_total`,
        `${words} ${meaning}, as the network stack held them.`,
        points.map((point) => ({ labels: labelText(placeOf(point)), value: of(point)[measure] })),
      ),
    ),
    counter(
      `ledger_${measure}_total`,
      `${words} in no flow record, by reason, as the network stack held them.`,
      points.flatMap((point) => ledgerOf(point, measure)),
    ),
    gauge(
      `unexplained_${measure}`,
      `${words} since the start that do not add up: by the flows, seen less recorded and ledger; by the interface, counted less seen.`,
      points.flatMap((point) => unexplainedOf(point, measure)),
    ),
    gauge(
      `persistent_unexplained_${measure}`,
      `${words} of the unexplained that stand for several epochs; anything but 0 is a warning.`,
      points.map((point) => ({ labels: labelText(placeOf(point)), value: point.persistent[measure] })),
    ),
  ];
}

/** What tells one observation point from another. A name is not enough: an interface made anew begins at 0. */
function placeOf({ interfaceName, ifindex, direction }: AuditPoint): Record<string, string> {
  return { interface: interfaceName, ifindex: String(ifindex), direction };
}

/** By reason, summed over the levels of tunnels. */
function ledgerOf(point: AuditPoint, measure: Measure): Sample[] {
  const sums = new Map<string, number>();
  for (const line of point.sinceStart.ledger) {
    sums.set(line.reason, (sums.get(line.reason) ?? 0) + line[measure]);
  }
  return [...sums].map(([reason, value]) => ({ labels: labelText({ ...placeOf(point), reason }), value }));
}

/** Where the interface does not tell what it counted there is nothing to say, not 0. */
function unexplainedOf(point: AuditPoint, measure: Measure): Sample[] {
  const { inside, outside, counted } = point.sinceStart;
  const sample = (by: string, part: AuditPart): Sample => ({
    labels: labelText({ ...placeOf(point), by }),
    value: part[measure],
  });
  return [sample('flows', inside), ...(counted ? [sample('interface', outside)] : [])];
}
