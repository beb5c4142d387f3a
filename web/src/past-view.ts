/** A picture of the past in the shape of the live view's, from answers to {@link pastQuestions}. */
import type { FlowRow, ResultTable, StreamedView, ViewNode, ViewQuestion } from '../../src/query/index.ts';
import { OTHERS } from './layout/fold.ts';
import { type LeaderQuestions, NO_ADDRESS, type PastQuestions, type Span } from './past-questions.ts';

/** What a picture of the past stands on. */
export interface PastFacts {
  /** What was asked for. */
  readonly span: Span;
  readonly covered: ResultTable['covered'];
  readonly gaps: ResultTable['gaps'];
  /** What is in no flow, of everything in the span. */
  readonly ledger: ResultTable['ledger'];
}

/** What the page draws: the live view's answer, or one of the past. */
export type ShownView = StreamedView & { readonly past?: PastFacts };

/** The answers, as far as they are known. */
export type PastTables = Readonly<Partial<Record<keyof PastQuestions | keyof LeaderQuestions, ResultTable>>>;

/** What of the live view holds for the past too. */
export type LiveFacts = Pick<StreamedView, 'agent' | 'epoch' | 'exactness' | 'intervalSeconds'>;

type Row = ResultTable['rows'][number];

/** Makes the picture. Every octet of the answers' total is in a link once; rows beyond their limit are folded. */
export function pastView(
  question: ViewQuestion,
  span: Span,
  { tables, live }: { readonly tables: PastTables; readonly live: LiveFacts },
): ShownView | undefined {
  const { segments, total: totals, spoken, carried, unfiltered } = tables;
  if (!segments || !totals || !spoken) return undefined;
  const isClients = question.pair === undefined ? question.host !== undefined : question.pair.includes('/');
  const isMeant = segmentTest(question);
  const graph = new PastGraph(isClients);
  for (const table of [carried, spoken])
    for (const { segment, ends, octets, packets } of table ? linkRowsOf(table) : [])
      if (isMeant(segment)) graph.add(segment, ends, { octets, packets });
  const bySegment = sumsOf(totals).filter(({ id }) => isMeant(id));
  if (carried?.isCut || spoken.isCut) for (const each of bySegment) graph.fold(each);
  const total = graph.total;
  const facts = { span, covered: totals.covered, gaps: segments.gaps, ledger: segments.ledger };
  const windowSeconds = meteredMs(facts) / 1000;
  const perSecond = (value: number): number => (windowSeconds > 0 ? value / windowSeconds : 0);
  const leader = leaderOf(question, tables, total.octets);
  return {
    question,
    level: question.pair !== undefined ? 'flows' : isClients ? 'clients' : 'hosts',
    agent: live.agent,
    epoch: live.epoch,
    exactness: live.exactness,
    intervalSeconds: live.intervalSeconds,
    atMs: facts.covered.toMs,
    windowSeconds,
    isRecorded: false,
    total,
    segments: sumsOf(segments).map(({ id, octets, packets }) => ({
      id,
      kind: id.split(':')[0]!,
      tunnelId: id.includes(':') ? Number(id.split(':')[1]) : null,
      octets,
      packets,
      octetRate: perSecond(octets),
      packetRate: perSecond(packets),
      lastSeenMs: facts.covered.toMs,
    })),
    ...graph.read(),
    flows: tables.flows ? flowRows(tables.flows).filter(({ segment }) => isMeant(segment)) : [],
    leader,
    filter: unfiltered
      ? filtered(
          question,
          total,
          sumsOf(unfiltered).filter(({ id }) => isMeant(id)),
        )
      : null,
    history: [],
    past: facts,
  };
}

/** What of the covered span somebody metered, milliseconds. */
export function meteredMs({ covered, gaps }: Pick<PastFacts, 'covered' | 'gaps'>): number {
  return gaps.reduce((rest, { fromMs, toMs }) => rest - (toMs - fromMs), covered.toMs - covered.fromMs);
}

interface Count {
  readonly octets: number;
  readonly packets: number;
}

/** Whether a segment is asked for: a filter cannot say which tunnel is the outermost, its rows do. */
function segmentTest({ segment, pair }: ViewQuestion): (id: string) => boolean {
  const ofPair = pair?.includes('/') ? pair.slice(0, pair.indexOf('/')) : undefined;
  return (id) => (segment === 'all' || segment === id) && (ofPair === undefined || ofPair === id);
}

function columnsOf({ columns }: Pick<ResultTable, 'columns'>): (row: Row, name: string) => Row[number] {
  const places = new Map(columns.map(({ name }, place) => [name, place]));
  return (row, name) => row[places.get(name) ?? -1] ?? null;
}

function sumsOf(table: ResultTable): (Count & { readonly id: string })[] {
  const cell = columnsOf(table);
  return table.rows.map((row) => ({
    id: String(cell(row, 'segment')),
    octets: Number(cell(row, 'octets')),
    packets: Number(cell(row, 'packets')),
  }));
}

/** Rows of who to whom: segment, then both ends, then sums. */
function linkRowsOf(table: ResultTable): {
  readonly segment: string;
  readonly ends: readonly [string, string];
  readonly octets: number;
  readonly packets: number;
}[] {
  const cell = columnsOf(table);
  return table.rows.map((row) => ({
    segment: String(row[0]),
    ends: [String(row[1] ?? NO_ADDRESS), String(row[2] ?? NO_ADDRESS)],
    octets: Number(cell(row, 'octets')),
    packets: Number(cell(row, 'packets')),
  }));
}

interface Sum {
  octets: number;
  packets: number;
}

interface GrowingNode extends Pick<ViewNode, 'id' | 'address' | 'segment'> {
  readonly sent: Sum;
  readonly received: Sum;
}

/** Nodes and links that grow. */
class PastGraph {
  readonly #isClients: boolean;
  readonly #nodes = new Map<string, GrowingNode>();
  readonly #links = new Map<string, { from: string; to: string; segment: string; octets: number }>();
  readonly #bySegment = new Map<string, Sum>();

  constructor(isClients: boolean) {
    this.#isClients = isClients;
  }

  get total(): Count {
    const total = { octets: 0, packets: 0 };
    for (const each of this.#bySegment.values()) add(total, each);
    return total;
  }

  add(segment: string, [source, target]: readonly [string, string], count: Count): void {
    const from = this.#node(segment, source);
    const to = this.#node(segment, target);
    add(from.sent, count);
    add(to.received, count);
    this.#link(from.id, to.id, { segment, octets: count.octets });
    const sum = this.#bySegment.get(segment) ?? { octets: 0, packets: 0 };
    this.#bySegment.set(segment, sum);
    add(sum, count);
  }

  /** What a segment has beyond the rows that were added: between those whom no row names. */
  fold({ id, octets, packets }: Count & { readonly id: string }): void {
    const known = this.#bySegment.get(id) ?? { octets: 0, packets: 0 };
    const rest = { octets: octets - known.octets, packets: packets - known.packets };
    if (rest.octets > 0) this.add(id, [OTHERS, OTHERS], rest);
  }

  read(): Pick<StreamedView, 'nodes' | 'links'> {
    const size = ({ sent, received }: ViewNode): number => sent.octets + received.octets;
    const nodes = [...this.#nodes.values()].sort((x, y) => size(y) - size(x) || (x.id < y.id ? -1 : 1));
    const place = new Map(nodes.map(({ id }, index) => [id, index]));
    const segments = [...this.#bySegment.keys()];
    const links = [...this.#links.values()].sort((x, y) => y.octets - x.octets);
    return {
      nodes,
      links: {
        segments,
        rows: links.flatMap(({ from, to, segment, octets }) => [
          place.get(from)!,
          place.get(to)!,
          segments.indexOf(segment),
          octets,
        ]),
      },
    };
  }

  #node(segment: string, address: string): GrowingNode {
    const isOne = this.#isClients && address !== OTHERS;
    const id = isOne ? `${segment}/${address}` : address;
    let node = this.#nodes.get(id);
    if (!node) {
      const none = (): Sum => ({ octets: 0, packets: 0 });
      node = { id, address, segment: isOne ? segment : null, sent: none(), received: none() };
      this.#nodes.set(id, node);
    }
    return node;
  }

  #link(from: string, to: string, { segment, octets }: { segment: string; octets: number }): void {
    const key = `${from} ${to} ${segment}`;
    const link = this.#links.get(key);
    if (link) link.octets += octets;
    else this.#links.set(key, { from, to, segment, octets });
  }
}

function add(sum: Sum, { octets, packets }: Count): void {
  sum.octets += octets;
  sum.packets += packets;
}

/** Who sent most, to whom most of it, and from behind which end of a tunnel. */
function leaderOf(question: ViewQuestion, tables: PastTables, total: number): StreamedView['leader'] {
  const { senders, peers, hosts } = tables;
  const sender = senders && senderOf(question, senders);
  if (!sender || !peers || !hosts || total === 0) return null;
  const largest = (table: ResultTable): string | null => {
    const row = table.rows.find(([segment]) => segment === sender.segment);
    return row?.[1] === null || row?.[1] === undefined ? null : String(row[1]);
  };
  return {
    ...sender,
    host: largest(hosts),
    peer: largest(peers) ?? NO_ADDRESS,
    share: sender.octets / total,
  };
}

/** Who sent most at a place, of the answer to who did. */
export function senderOf(
  question: ViewQuestion,
  senders: ResultTable,
): { readonly segment: string; readonly address: string; readonly octets: number } | undefined {
  const cell = columnsOf(senders);
  const isMeant = segmentTest(question);
  const row = senders.rows.find((each) => isMeant(String(each[0])));
  if (!row) return undefined;
  return {
    segment: String(row[0]),
    address: String(row[1] ?? NO_ADDRESS),
    octets: Number(cell(row, 'octets')),
  };
}

function filtered(
  { filter = '' }: ViewQuestion,
  total: Count,
  unfiltered: readonly Count[],
): StreamedView['filter'] {
  const all = { octets: 0, packets: 0 };
  for (const each of unfiltered) add(all, each);
  const leftOut = {
    octets: Math.max(0, all.octets - total.octets),
    packets: Math.max(0, all.packets - total.packets),
  };
  const share = all.octets > 0 ? leftOut.octets / all.octets : 0;
  return { text: filter, leftOut, unknown: { octets: 0, packets: 0 }, share };
}

function flowRows(table: ResultTable): FlowRow[] {
  const cell = columnsOf(table);
  return table.rows.map((row) => {
    const text = (name: string): string | null => {
      const value = cell(row, name);
      return value === null ? null : String(value);
    };
    const number = (name: string): number => Number(cell(row, name));
    const port = (name: string): number | null => (cell(row, name) === null ? null : number(name));
    return {
      segment: text('segment') ?? 'none',
      outerSource: text('outer.src'),
      outerDestination: text('outer.dst'),
      source: text('src') ?? text('src.mac') ?? NO_ADDRESS,
      destination: text('dst') ?? text('dst.mac') ?? NO_ADDRESS,
      protocol: (text('proto') ?? text('ethertype') ?? '*').toUpperCase(),
      sourcePort: port('sport'),
      destinationPort: port('dport'),
      note: noteOf(text),
      octets: number('octets'),
      packets: number('packets'),
      payloadOctets: number('payload'),
      firstMs: number('first'),
      lastMs: number('last'),
    };
  });
}

/** Columns that are worth a word where a flow has something there. */
const NOTES = ['icmp.type', 'icmp.code', 'vlan', 'inner.vlan', 'mark', 'remark'] as const;

function noteOf(text: (name: string) => string | null): string {
  const notes = NOTES.flatMap((name) => {
    const value = text(name);
    return value === null || value === 'none' ? [] : [`${name} ${value}`];
  });
  const fragment = text('fragment');
  if (fragment !== null && fragment !== 'whole') notes.push(`fragment: ${fragment}`);
  return notes.join(', ');
}
