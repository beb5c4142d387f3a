/** The ledger: per observation point where all that passed is, since the start. */
import type { Audit, AuditPoint } from '../../query/index.ts';
import type { Fact, ListColumn, Listing, ListRow } from './listing.ts';

const COLUMNS: readonly ListColumn[] = [
  { id: 'point', title: 'POINT', kind: 'text', least: 14, most: 24, rank: 0 },
  { id: 'line', title: 'LINE', kind: 'text', least: 28, most: 44, rank: 0 },
  { id: 'packets', title: 'PACKETS', kind: 'exact', least: 13, most: 19, rank: 0 },
  { id: 'octets', title: 'OCTETS', kind: 'exact', least: 17, most: 25, rank: 1 },
  { id: 'share', title: 'OF SEEN', kind: 'share', least: 12, most: 20, rank: 2 },
];

interface Line {
  readonly words: string;
  readonly packets: number | null;
  readonly octets: number | null;
  /** 0…1 of the octets seen. */
  readonly share: number | null;
}

/** The lines of an audit, point by point, in the order of the audit. */
export function ledgerListing(audit: Audit): Listing {
  const unexplained = audit.persistent.packets !== 0 || audit.persistent.octets !== 0;
  const compared = audit.points.filter(({ sinceStart }) => sinceStart.counted !== null).length;
  return {
    list: 'ledger',
    columns: COLUMNS,
    rows: audit.points.flatMap(rowsOf),
    usual: undefined,
    noun: 'lines',
    isCut: false,
    note: unexplained
      ? `UNEXPLAINED: ${audit.persistent.packets} packets, ${audit.persistent.octets} octets`
      : `all explained at ${compared} of ${audit.points.length} observation points`,
  };
}

function rowsOf(point: AuditPoint): ListRow[] {
  const name = `${point.interfaceName} ${point.direction}`;
  return linesOf(point).map(({ words, packets, octets, share }) => ({
    key: `${point.ifindex} ${point.direction} ${words}`,
    cells: { point: name, line: words, packets, octets, share },
    octets: octets ?? 0,
    opens: undefined,
    words: `${name}: ${words}`,
    facts: () => factsOf(point),
  }));
}

function linesOf({ sinceStart: span }: AuditPoint): Line[] {
  const share = (octets: number): number => (span.seen.octets > 0 ? octets / span.seen.octets : 0);
  const line = (words: string, { packets, octets }: AuditPoint['persistent']): Line => ({
    words,
    packets,
    octets,
    share: share(octets),
  });
  return [
    line('seen by the hook', span.seen),
    line('recorded in flows', span.recorded),
    ...(span.overflow.packets > 0 ? [line('… of it without detail', span.overflow)] : []),
    ...span.ledger.map((each) =>
      line(`ledger: ${each.reason}${each.level > 0 ? ` (inside ${each.level})` : ''}`, each),
    ),
    line('unexplained by the flows', span.inside),
    span.counted === null
      ? { words: 'unexplained by the interface', packets: null, octets: null, share: null }
      : line('unexplained by the interface', span.outside),
  ];
}

function factsOf(point: AuditPoint): Fact[] {
  const { sinceStart: span, interval, persistent } = point;
  return [
    ['observation point', 'text', `${point.interfaceName} ${point.direction}`],
    ['device', 'text', point.kind === '' ? 'of unknown kind' : point.kind],
    ['its counter counts', 'text', point.unit],
    ['primary', 'text', point.primary ? 'yes: totals count here' : 'no'],
    ['there', 'text', point.present ? 'yes' : 'gone: the figures stay as they were'],
    ['programs before ours', 'text', point.programs?.before.join(', ') || null],
    ['programs behind ours', 'text', point.programs?.after.join(', ') || null],
    ['since', 'duration', 1000 * span.seconds],
    ['interface counted, packets at least', 'exact', span.counted?.least.packets ?? null],
    ['interface counted, packets at most', 'exact', span.counted?.most.packets ?? null],
    ['the hook saw, as it counts, at least', 'exact', span.expected.least.packets],
    ['the hook saw, as it counts, at most', 'exact', span.expected.most.packets],
    ['seen in the last epoch, packets', 'exact', interval.seen.packets],
    ['unexplained for several epochs, packets', 'exact', persistent.packets],
    ['unexplained for several epochs, octets', 'exact', persistent.octets],
    ['where to look', 'text', point.hint === '' ? null : point.hint],
  ];
}
