/** Metrics of virtual networks: what their functions say, as counters by port, peer, client, cable and outcome. */
import type { Count, VirtualNetwork, VirtualNetworks, VirtualTraffic } from '../query/index.ts';
import { counter, type Family, gauge, labelText } from './exposition.ts';

/** Value of a label whose detail found no room. */
const OTHER = 'other';

/** One series of a pair of families: packets and octets. */
interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: Count;
}

/** Pairs of families, by the name in the middle: `vnet_peer_packets_total`. */
const PAIRS = [
  ['outcome', 'that ended so, by what became of them'],
  ['port', 'through a port of a bridge: received from it, sent out at it'],
  ['peer', 'from and to another tunnel end, by segment'],
  ['client', 'from and to a client of a gateway'],
  ['cable', 'through a cable of a relay, one way'],
] as const;
type Pair = (typeof PAIRS)[number][0];

/**
 * The families of answers, of which there is a bounded number of series: what finds no room counts in one whose labels are
 * `other`, and stays there as long as it is told, so that no series jumps.
 */
export class NetworkMetrics {
  readonly #maxSeries: number;
  /** Who has a series of its own, and who is in `other`, by pair and labels. */
  #own = new Map<string, boolean>();

  /** @param maxSeries most series of each family, that of `other` included */
  constructor(maxSeries: number = 1000) {
    this.#maxSeries = maxSeries;
  }

  /** All families of an answer; none where there is no function. */
  families({ functions, unanswered }: VirtualNetworks): Family[] {
    const rows = new Map<Pair, Row[]>(PAIRS.map(([pair]) => [pair, []]));
    for (const network of functions) {
      for (const [pair, row] of rowsOf(network)) rows.get(pair)!.push(row);
    }
    const before = this.#own;
    this.#own = new Map();
    const pairs = PAIRS.flatMap(([pair, words]) =>
      this.#pairFamilies(rows.get(pair)!, before, [pair, words]),
    );
    const bridges = functions.filter((each) => each.kind === 'bridge');
    const perBridge = (of: (bridge: (typeof bridges)[number]) => number) =>
      bridges.map((bridge) => ({ labels: labelText({ function: bridge.name }), value: of(bridge) }));
    const all = [
      gauge(
        'vnet_function',
        'A network function of this machine: 1 while it answers, 0 while it runs and does not.',
        [
          ...functions.map(({ name, kind, namespace }) => ({
            labels: labelText({ function: name, kind, namespace }),
            value: 1,
          })),
          ...unanswered.map(({ name }) => ({
            labels: labelText({ function: name, kind: '', namespace: '' }),
            value: 0,
          })),
        ],
      ),
      gauge(
        'vnet_table_used',
        'Learned and static addresses in the table of a bridge.',
        perBridge(({ table }) => table.used),
      ),
      gauge(
        'vnet_table_capacity',
        'Addresses that the table of a bridge has room for.',
        perBridge(({ table }) => table.capacity),
      ),
      ...pairs,
    ];
    return all.filter(({ samples }) => samples.length > 0);
  }

  #pairFamilies(
    rows: readonly Row[],
    before: ReadonlyMap<string, boolean>,
    [pair, words]: readonly [Pair, string],
  ): Family[] {
    const known = rows.map((row) => {
      const text = labelText(row.labels);
      const key = `${pair} ${text}`;
      return { row, text, key, isOwn: before.get(key) };
    });
    let room = this.#maxSeries - 1 - known.filter(({ isOwn }) => isOwn === true).length;
    const series = new Map<string, { packets: number; octets: number }>();
    for (const { row, text, key, isOwn } of known) {
      const hasOwn = isOwn ?? room-- > 0;
      this.#own.set(key, hasOwn);
      const labels = hasOwn ? text : otherText(row);
      const sum = series.get(labels) ?? { packets: 0, octets: 0 };
      sum.packets += row.count.packets;
      sum.octets += row.count.octets;
      series.set(labels, sum);
    }
    const samples = [...series];
    return (['packets', 'octets'] as const).map((measure) =>
      counter(
        `vnet_${pair}_${measure}_total`,
        `${measure === 'packets' ? 'Packets' : 'Octets'} on the wire, without the tunnel, ${words}.`,
        samples.map(([labels, sum]) => ({ labels, value: sum[measure] })),
      ),
    );
  }
}

function otherText({ labels }: Row): string {
  return labelText(Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER])));
}

function rowsOf(network: VirtualNetwork): (readonly [Pair, Row])[] {
  const rows: (readonly [Pair, Row])[] = [];
  const add = (pair: Pair, labels: Row['labels'], count: Count): void => {
    rows.push([pair, { labels: { function: network.name, ...labels }, count }]);
  };
  const addBoth = (pair: Pair, labels: Row['labels'], { received, sent }: VirtualTraffic): void => {
    add(pair, { ...labels, direction: 'received' }, received);
    add(pair, { ...labels, direction: 'sent' }, sent);
  };
  for (const { name, isDrop, ...count } of network.outcomes)
    add('outcome', { outcome: name, dropped: String(isDrop) }, count);
  switch (network.kind) {
    case 'bridge':
      for (const port of network.ports) addBoth('port', { port: port.name, vni: String(port.vni) }, port);
      for (const peer of network.peers) addBoth('peer', { peer: peer.address, vni: String(peer.vni) }, peer);
      break;
    case 'gateway':
      for (const client of network.clients)
        addBoth('client', { client: client.mac, worker: client.worker }, client);
      break;
    case 'relay':
      for (const { from, to, counts } of network.cables) {
        for (const [protocol, count] of Object.entries(counts)) add('cable', { from, to, protocol }, count);
      }
  }
  return rows;
}
