import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import type { FlowBatch, ObservationPoint } from '../flow/index.ts';
import { parseFilter, type View, type ViewQuestion, ViewQuestionSchema, ViewSchema } from '../query/index.ts';
import { LiveView } from './index.ts';

const ask = (question: Partial<ViewQuestion> = {}): ViewQuestion => ViewQuestionSchema.parse(question);

const point = (ifindex: number, direction: 0 | 1, primary: boolean): ObservationPoint => ({
  ifindex,
  direction,
  interfaceName: `if${ifindex}`,
  primary,
});

const TENANT: RecordWords = {
  tunnel: ['172.16.1.100', '172.16.1.101', 10001],
  between: ['192.168.0.1', '192.168.0.2'],
  protocol: 6,
  ports: [4000, 80],
  octets: 1000,
  packets: 10,
};

describe('levels of the live view', () => {
  it('joins hosts by outer addresses of tunnels and by own addresses of plain traffic', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT, { between: ['10.0.0.1', '172.16.1.100'], octets: 60, packets: 1 }]));
    const view = live.view(ask());
    assert.equal(view.level, 'hosts');
    assert.deepEqual(
      view.nodes.map((node) => [node.id, node.sent.octets, node.received.octets]),
      [
        ['172.16.1.100', 1000, 60],
        ['172.16.1.101', 0, 1000],
        ['10.0.0.1', 60, 0],
      ],
    );
    assert.deepEqual(view.links[0], {
      source: 0,
      target: 1,
      octets: 1000,
      packets: 10,
      parts: [{ segment: 'vxlan:10001', octets: 1000, packets: 10 }],
    });
    ViewSchema.parse(view);
  });

  it('takes who speaks inside for the host where no network layer carries the tunnel', () => {
    const live = new LiveView({ idleSeconds: 2 });
    const labelled: RecordWords = {
      tunnels: [['mpls', 100]],
      between: ['10.0.0.1', '10.0.0.2'],
      octets: 60,
      packets: 1,
    };
    live.write(batchOf([labelled]));
    const check = (): void => {
      const hosts = live.view(ask({ window: 'all' }));
      assert.deepEqual(
        hosts.nodes.map((node) => [node.id, node.sent.octets]),
        [
          ['10.0.0.1', 60],
          ['10.0.0.2', 0],
        ],
      );
      assert.deepEqual([hosts.leader?.host, hosts.leader?.segment], [null, 'mpls:100']);
      const clients = live.view(ask({ window: 'all', host: '10.0.0.1' }));
      assert.deepEqual(
        clients.nodes.map((node) => node.id),
        ['mpls:100/10.0.0.1', 'mpls:100/10.0.0.2'],
      );
      const [row] = live.uniflows('all');
      assert.equal(row?.outerSource, null);
    };
    check();
    for (let epoch = 2; epoch <= 9; epoch++) live.write(batchOf([], { epoch }));
    check();
    assert.equal([...live.uniflows('all')][0]?.isFolded, true);
  });

  it('says the inner tunnels and the mark of a flow', () => {
    const live = new LiveView();
    const nested = (id: number): RecordWords => ({
      ...TENANT,
      tunnels: [
        ['vxlan', 10001],
        ['gre', id],
        ['gtp-u', 0x1a2b],
      ],
      mark: ['wireguard-data', 7],
      remark: 4,
    });
    live.write(batchOf([nested(5), nested(6)]));
    assert.deepEqual(
      [...live.uniflows('all')].map((uniflow) => uniflow.note),
      [5, 6].map((id) => `nested key ${id}, nested TEID 0x1a2b, WireGuard, receiver 0x7, contents guessed`),
    );
  });

  it('keeps two tenants with equal addresses apart behind one host', () => {
    const live = new LiveView();
    const other: RecordWords = { ...TENANT, tunnel: ['172.16.1.100', '172.16.1.101', 10002], octets: 500 };
    live.write(batchOf([TENANT, other, { between: ['172.16.1.100', '9.9.9.9'], octets: 70, packets: 1 }]));
    const view = live.view(ask({ host: '172.16.1.100' }));
    assert.equal(view.level, 'clients');
    assert.deepEqual(
      view.nodes.map((node) => node.id),
      [
        'vxlan:10001/192.168.0.1',
        'vxlan:10001/192.168.0.2',
        'vxlan:10002/192.168.0.1',
        'vxlan:10002/192.168.0.2',
        'none/172.16.1.100',
        'none/9.9.9.9',
      ],
    );
    const flows = live.view(ask({ pair: 'vxlan:10002/192.168.0.2~vxlan:10002/192.168.0.1' })).flows;
    assert.deepEqual(
      flows.map((flow) => [flow.segment, flow.octets]),
      [['vxlan:10002', 500]],
    );
  });

  it('lists the flows of a pair of hosts in both directions, largest first', () => {
    const live = new LiveView();
    const back: RecordWords = {
      tunnel: ['172.16.1.101', '172.16.1.100', 10001],
      between: ['192.168.0.2', '192.168.0.1'],
      protocol: 1,
      ports: [17, 0],
      icmp: [0, 0],
      vlan: 5,
      octets: 2000,
      packets: 2,
      payloadOctets: 112,
    };
    live.write(batchOf([TENANT, back, { between: ['1.1.1.1', '2.2.2.2'], octets: 1, packets: 1 }]));
    const view = live.view(ask({ pair: '172.16.1.100~172.16.1.101' }));
    assert.equal(view.level, 'flows');
    assert.deepEqual(view.flows[0], {
      segment: 'vxlan:10001',
      outerSource: '172.16.1.101',
      outerDestination: '172.16.1.100',
      source: '192.168.0.2',
      destination: '192.168.0.1',
      protocol: 'ICMP',
      sourcePort: null,
      destinationPort: null,
      note: 'echo reply (id 17), VLAN 5',
      octets: 2000,
      packets: 2,
      payloadOctets: 112,
      firstMs: 1000,
      lastMs: 2000,
    });
    assert.equal(view.flows[1]!.sourcePort, 4000);
    assert.deepEqual(view.total, { octets: 3000, packets: 12 });
  });

  it('names frames without addresses by MAC and ARP by its addresses', () => {
    const live = new LiveView();
    live.write(
      batchOf([
        { macs: ['02:00:00:00:00:01', '01:80:c2:00:00:0e'], cast: 1, octets: 200, packets: 1 },
        { arp: true, between: ['10.0.2.15', '10.0.2.3'], cast: 2, octets: 84, packets: 2 },
      ]),
    );
    assert.deepEqual(
      live.view(ask()).nodes.map((node) => node.id),
      ['01:80:c2:00:00:0e', '02:00:00:00:00:01', '10.0.2.15', '10.0.2.3'],
    );
    const lldp = live.view(ask({ pair: '02:00:00:00:00:01~01:80:c2:00:00:0e' })).flows;
    assert.deepEqual([lldp[0]!.protocol, lldp[0]!.note], ['LLDP', 'multicast']);
    const arp = live.view(ask({ pair: '10.0.2.3~10.0.2.15' })).flows;
    assert.deepEqual(
      [arp[0]!.protocol, arp[0]!.note, arp[0]!.sourcePort],
      ['ARP', 'request, broadcast', null],
    );
  });

  it('shows an overflow record as the row (overflow) of its tunnel', () => {
    const live = new LiveView();
    live.write(
      batchOf([{ tunnel: ['172.16.1.100', '172.16.1.101', 7], remark: 1, octets: 900, packets: 9 }]),
    );
    const view = live.view(ask({ pair: '172.16.1.100~172.16.1.101' }));
    assert.deepEqual([view.flows[0]!.source, view.flows[0]!.octets], ['(overflow)', 900]);
    assert.equal(view.leader, null);
    assert.deepEqual(view.exactness.overflow, { octets: 900, packets: 9 });
  });

  it('folds nodes beyond the limit into (others) without losing octets', () => {
    const live = new LiveView({ maxNodes: 2 });
    const records = [10, 20, 30].map((octets) => ({
      between: ['10.0.0.1', `10.0.1.${octets}`] as const,
      octets,
      packets: 1,
    }));
    live.write(batchOf(records));
    const view = live.view(ask());
    assert.deepEqual(
      view.nodes.map((node) => [node.id, node.received.octets]),
      [
        ['10.0.0.1', 0],
        ['10.0.1.30', 30],
        ['(others)', 30],
      ],
    );
    assert.equal(
      view.links.reduce((sum, link) => sum + link.octets, 0),
      view.total.octets,
    );
  });

  it('names who sends most, where it sits and its share', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT, { between: ['1.1.1.1', '2.2.2.2'], octets: 250, packets: 1 }]));
    assert.deepEqual(live.view(ask()).leader, {
      address: '192.168.0.1',
      segment: 'vxlan:10001',
      host: '172.16.1.100',
      peer: '192.168.0.2',
      octets: 1000,
      share: 0.8,
    });
  });
});

describe('counting once', () => {
  const between = ['10.0.0.1', '10.0.0.2'] as const;
  const flow = (ifindex: number, direction: 0 | 1, octets: number): RecordWords => ({
    ifindex,
    direction,
    between,
    octets,
    packets: 1,
  });

  it('counts a forwarded packet once although two interfaces saw it', () => {
    const live = new LiveView();
    const points = [point(2, 0, true), point(3, 1, true)];
    live.write(batchOf([flow(2, 0, 100), flow(3, 1, 100)], { points }));
    assert.equal(live.view(ask()).total.octets, 100);
    assert.equal(live.view(ask()).history[0]!.octetRate, 100);
  });

  it('adds what two uplinks received, for those are different packets', () => {
    const live = new LiveView();
    const points = [point(2, 0, true), point(3, 0, true)];
    live.write(batchOf([flow(2, 0, 100), flow(3, 0, 30)], { points }));
    assert.equal(live.view(ask()).total.octets, 130);
  });

  it('prefers primary points, and falls back to the others for traffic that never leaves the host', () => {
    const live = new LiveView();
    const points = [point(2, 1, true), point(5, 0, false), point(6, 1, false)];
    const local: RecordWords = { ...flow(5, 0, 40), between: ['10.9.0.1', '10.9.0.2'] };
    live.write(
      batchOf([flow(2, 1, 100), flow(5, 0, 120), local, { ...local, ifindex: 6, direction: 1 }], { points }),
    );
    assert.equal(live.view(ask()).total.octets, 140);
  });

  it('leaves out points that are not accepted, in exactness too', () => {
    const live = new LiveView({ accept: ({ ifindex }) => ifindex === 2 });
    const points = [point(2, 0, true), point(3, 0, true)];
    live.write(batchOf([flow(2, 0, 100), flow(3, 0, 30)], { points }));
    assert.equal(live.view(ask()).total.octets, 100);
    assert.equal(live.view(ask()).exactness.seen.octets, 100);
  });
});

describe('a filter', () => {
  it('chooses records, and leaves seen and recorded as they are', () => {
    const live = new LiveView({ filter: parseFilter('octets > 50') });
    const between = (last: number): [string, string] => [`10.9.0.${last}`, '10.9.0.9'];
    live.write(
      batchOf([
        { between: between(1), octets: 100, packets: 1 },
        { between: between(2), octets: 30, packets: 1 },
      ]),
    );
    const { total, exactness } = live.view(ask());
    assert.deepEqual([total.octets, exactness.recorded.octets, exactness.unexplained.octets], [100, 130, 0]);
  });
});

describe('windows', () => {
  it('forgets an epoch after five seconds and after about a minute, and never since the start', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT], { epoch: 1 }));
    const octets = (): number[] =>
      (['5s', '1m', 'all'] as const).map((window) => live.view(ask({ window })).total.octets);
    for (let epoch = 2; epoch <= 5; epoch++) live.write(batchOf([], { epoch }));
    assert.deepEqual(octets(), [1000, 1000, 1000]);
    assert.equal(live.view(ask()).windowSeconds, 5);
    live.write(batchOf([], { epoch: 6 }));
    assert.deepEqual(octets(), [0, 1000, 1000]);
    for (let epoch = 7; epoch <= 63; epoch++) live.write(batchOf([], { epoch }));
    assert.deepEqual(octets(), [0, 0, 1000]);
  });

  it('keeps an idle segment listed with rate 0', () => {
    const live = new LiveView();
    for (let epoch = 1; epoch <= 10; epoch++) live.write(batchOf(epoch === 1 ? [TENANT] : [], { epoch }));
    assert.deepEqual(live.view(ask()).segments, [
      {
        id: 'vxlan:10001',
        kind: 'vxlan',
        tunnelId: 10001,
        octets: 0,
        packets: 0,
        octetRate: 0,
        packetRate: 0,
        lastSeenMs: 2000,
      },
    ]);
  });

  it('ignores an epoch it has already taken in', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT]));
    live.write(batchOf([TENANT]));
    assert.equal(live.view(ask({ window: 'all' })).total.octets, 1000);
  });

  it('drops what lies in the future after the clock stepped back', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT], { epoch: 1, startMs: 9_000_000 }));
    live.write(batchOf([TENANT], { epoch: 2, startMs: 1_000 }));
    assert.equal(live.view(ask()).total.octets, 1000);
    assert.equal(live.view(ask({ window: 'all' })).total.octets, 2000);
  });

  it('keeps an epoch longer than the window', () => {
    const live = new LiveView();
    live.write(batchOf([TENANT], { startMs: 0, endMs: 30_000 }));
    assert.deepEqual([live.view(ask()).total.octets, live.view(ask()).windowSeconds], [1000, 30]);
  });

  it('is exact beyond 32 bits in one epoch', () => {
    const live = new LiveView();
    const octets = 3n * 2n ** 33n + 5n;
    for (let epoch = 1; epoch <= 3; epoch++) live.write(batchOf([{ ...TENANT, octets }], { epoch }));
    for (let epoch = 4; epoch <= 6; epoch++) live.write(batchOf([], { epoch }));
    assert.equal(BigInt(live.view(ask()).total.octets), 2n * octets);
    assert.equal([...live.uniflows('all')][0]!.wireOctets, 3n * octets);
  });

  it('tells listeners once per epoch until they stop', () => {
    const live = new LiveView();
    let calls = 0;
    const stop = live.onEpoch(() => calls++);
    live.write(batchOf([]));
    stop();
    live.write(batchOf([], { epoch: 2 }));
    assert.equal(calls, 1);
  });

  it('answers before the first epoch', () => {
    const view = new LiveView({ clock: () => 77 }).view(ask());
    ViewSchema.parse(view);
    assert.equal(view.atMs, 77);
  });
});

describe('folding', () => {
  const flows = (count: number, octets: number, from = 0): RecordWords[] =>
    Array.from({ length: count }, (_, i) => ({ ...TENANT, ports: [from + i, 80] as const, octets }));

  it('folds idle flows and keeps totals since the start exact', () => {
    const live = new LiveView({ idleSeconds: 10 });
    live.write(batchOf([...flows(100, 7), { between: ['1.1.1.1', '2.2.2.2'], octets: 3, packets: 1 }]));
    for (let epoch = 2; epoch <= 30; epoch++) live.write(batchOf(flows(1, 5, 9999), { epoch }));
    assert.equal(live.flowCount, 3);
    const view = live.view(ask({ window: 'all' }));
    assert.deepEqual(view.total.octets, 700 + 3 + 29 * 5);
    assert.deepEqual(
      view.nodes.map((node) => node.id),
      ['172.16.1.100', '172.16.1.101', '1.1.1.1', '2.2.2.2'],
    );
    const inside = live.view(ask({ window: 'all', host: '172.16.1.100' }));
    assert.ok(inside.nodes.some((node) => node.id === 'vxlan:10001/(folded)'));
    assert.equal(inside.total.octets, 700 + 29 * 5);
  });

  it('folds active flows beyond the limit without a wrong window', () => {
    const live = new LiveView({ maxFlows: 20 });
    for (let epoch = 1; epoch <= 100; epoch++) live.write(batchOf(flows(10, epoch, epoch * 10), { epoch }));
    assert.ok(live.flowCount <= 20);
    assert.equal(live.view(ask()).total.octets, 10 * (96 + 97 + 98 + 99 + 100));
    assert.equal(live.view(ask({ window: 'all' })).total.octets, (10 * 100 * 101) / 2);
    const minute = live.view(ask({ window: '1m' }));
    const first = 101 - minute.windowSeconds;
    assert.equal(minute.total.octets, (10 * (first + 100) * minute.windowSeconds) / 2);
  });

  it('stays bounded when every packet comes from a new address', () => {
    const live = new LiveView({ maxFlows: 40 });
    for (let epoch = 1; epoch <= 50; epoch++) {
      const records = Array.from({ length: 20 }, (_, i) => ({
        between: [`10.${epoch}.${i}.1`, '10.0.0.1'] as const,
        octets: 1,
        packets: 1,
      }));
      live.write(batchOf(records, { epoch }));
    }
    assert.ok(live.flowCount <= 40);
    assert.equal(live.view(ask({ window: 'all' })).total.octets, 1000);
  });
});

describe('exactness', () => {
  it('says what is in the ledger, and what nothing explains', () => {
    const live = new LiveView();
    const ledger = [
      { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 0, packets: 2n, octets: 40n },
      { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 1, packets: 1n, octets: 30n },
    ] as const;
    const batch = batchOf([TENANT], { ledger });
    live.write({ ...batch, seen: [...batch.seen, { ifindex: 2, direction: 1, packets: 1n, octets: 5n }] });
    assert.deepEqual(live.view(ask()).exactness, {
      seen: { octets: 1075, packets: 14 },
      recorded: { octets: 1000, packets: 10 },
      overflow: { octets: 0, packets: 0 },
      ledger: [{ reason: 'ipv4_truncated', octets: 70, packets: 3 }],
      unexplained: { octets: 5, packets: 1 },
      outside: { points: 0, packets: 0, octets: 0 },
    });
  });

  it('counts the wire in views and the stack in exactness', () => {
    const live = new LiveView();
    live.write(batchOf([{ ...TENANT, wireOctets: 1500, wirePackets: 20 }]));
    assert.deepEqual(live.view(ask()).total, { octets: 1500, packets: 20 });
    assert.equal(live.view(ask()).exactness.recorded.packets, 10);
  });
});

// A second, slow way to the same answers: all batches kept, everything added up again for each question.

const POINTS = [
  point(2, 0, true),
  point(2, 1, true),
  point(3, 1, true),
  point(7, 0, false),
  point(7, 1, false),
];

interface Known extends RecordWords {
  readonly key: string;
  readonly segment: string;
  readonly hosts: readonly [string, string];
  readonly clients: readonly [string, string];
}

function known(record: RecordWords): Known {
  const segment = record.tunnel ? `vxlan:${record.tunnel[2]}` : 'none';
  const [source, destination] = record.between!;
  return {
    ...record,
    segment,
    key: JSON.stringify([record.tunnel, record.between, record.ports]),
    hosts: record.tunnel ? [record.tunnel[0], record.tunnel[1]] : [source, destination],
    clients: [`${segment}/${source}`, `${segment}/${destination}`],
  };
}

function slicesOf(batches: readonly FlowBatch[], window: ViewQuestion['window']): FlowBatch[] {
  if (window === 'all') return [...batches];
  const end = batches.at(-1)!.endMs;
  const groups: { startMs: number; endMs: number; batches: FlowBatch[] }[] = [];
  for (const batch of batches) {
    const open = groups.at(-1);
    const middle = (batch.startMs + batch.endMs) / 2;
    if (window === '1m' && open && middle < open.startMs + 5000) {
      open.batches.push(batch);
      open.endMs = batch.endMs;
    } else groups.push({ startMs: batch.startMs, endMs: batch.endMs, batches: [batch] });
  }
  const span = window === '5s' ? 5000 : 60_000;
  const isIn = (group: (typeof groups)[number]): boolean => (group.startMs + group.endMs) / 2 > end - span;
  return groups
    .filter((group, i) => i === groups.length - 1 || isIn(group))
    .flatMap((group) => group.batches);
}

function naive(
  batches: readonly FlowBatch[],
  records: ReadonlyMap<FlowBatch, Known[]>,
  question: ViewQuestion,
) {
  const flows = new Map<string, { known: Known; sums: number[][] }>();
  for (const batch of slicesOf(batches, question.window)) {
    for (const record of records.get(batch)!) {
      const flow = flows.get(record.key) ?? { known: record, sums: [[], [], [], []].map(() => [0, 0]) };
      const primary = POINTS.find(
        (p) => p.ifindex === record.ifindex && p.direction === record.direction,
      )!.primary;
      const sum = flow.sums[(primary ? 0 : 2) + record.direction!]!;
      sum[0]! += Number(record.octets);
      sum[1]! += Number(record.packets);
      flows.set(record.key, flow);
    }
  }
  const [left, right] = question.pair?.split('~') ?? [];
  const ends = (flow: Known): readonly [string, string] =>
    (question.pair ? left!.includes('/') : question.host) ? flow.clients : flow.hosts;
  let total = [0, 0];
  const nodes = new Map<string, number[]>();
  const links = new Map<string, number>();
  for (const { known: flow, sums } of flows.values()) {
    if (question.segment !== 'all' && flow.segment !== question.segment) continue;
    if (question.host && !flow.hosts.includes(question.host)) continue;
    const [source, destination] = ends(flow);
    if (
      question.pair &&
      !((source === left && destination === right) || (source === right && destination === left))
    )
      continue;
    const of = sums[0]![1]! + sums[1]![1]! > 0 ? sums.slice(0, 2) : sums.slice(2);
    const count =
      of[1]![0]! > of[0]![0]! || (of[1]![0] === of[0]![0] && of[1]![1]! > of[0]![1]!) ? of[1]! : of[0]!;
    total = [total[0]! + count[0]!, total[1]! + count[1]!];
    const sent = nodes.get(source) ?? [0, 0];
    nodes.set(source, sent);
    sent[0]! += count[0]!;
    const received = nodes.get(destination) ?? [0, 0];
    nodes.set(destination, received);
    received[1]! += count[0]!;
    const link = `${source}>${destination}`;
    links.set(link, (links.get(link) ?? 0) + count[0]!);
  }
  return { total: { octets: total[0]!, packets: total[1]! }, nodes, links };
}

function assertSame(view: View, expected: ReturnType<typeof naive>): void {
  assert.deepEqual(view.total, expected.total);
  const nodes = new Map(view.nodes.map((node) => [node.id, [node.sent.octets, node.received.octets]]));
  assert.deepEqual(
    nodes,
    new Map(
      [...expected.nodes].sort(([a], [b]) => [...nodes.keys()].indexOf(a) - [...nodes.keys()].indexOf(b)),
    ),
  );
  assert.equal(view.links.length, expected.links.size);
  for (const link of view.links) {
    const name = `${view.nodes[link.source]!.id}>${view.nodes[link.target]!.id}`;
    assert.equal(link.octets, expected.links.get(name));
    assert.equal(
      link.octets,
      link.parts.reduce((sum, part) => sum + part.octets, 0),
    );
  }
  const weights = view.nodes.map((node) => node.sent.octets + node.received.octets);
  assert.deepEqual(
    weights,
    [...weights].sort((a, b) => b - a),
  );
  ViewSchema.parse(view);
}

const address = fc.integer({ min: 1, max: 4 }).map((i) => `10.0.0.${i}`);
const host = fc.integer({ min: 1, max: 3 }).map((i) => `172.16.1.${i}`);
const record = fc
  .record({
    point: fc.constantFrom(...POINTS),
    tunnel: fc.option(fc.tuple(host, host, fc.constantFrom(1, 2)), { nil: undefined }),
    between: fc.tuple(address, address),
    ports: fc.tuple(fc.constantFrom(1, 2), fc.constant(80)),
    octets: fc.oneof(fc.integer({ min: 60, max: 9000 }), fc.integer({ min: 2 ** 31, max: 2 ** 35 })),
    packets: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ point: at, tunnel, ...rest }) =>
    known({ ...rest, ...(tunnel ? { tunnel } : {}), ifindex: at.ifindex, direction: at.direction }),
  );
const epochs = fc.array(
  fc.record({
    records: fc.array(record, { maxLength: 12 }),
    gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 20_000 })),
    lengthMs: fc.oneof({ weight: 5, arbitrary: fc.constant(1000) }, fc.integer({ min: 1, max: 8000 })),
  }),
  { minLength: 1, maxLength: 40 },
);
const question = fc
  .record({
    window: fc.constantFrom('5s' as const, '1m' as const, 'all' as const),
    segment: fc.constantFrom('all', 'none', 'vxlan:1', 'vxlan:2', 'vxlan:9'),
    host: fc.option(fc.oneof(host, address), { nil: undefined }),
    pair: fc.option(
      fc.oneof(
        fc.tuple(fc.oneof(host, address), fc.oneof(host, address)),
        fc.tuple(address, address).map(([a, b]) => [`vxlan:1/${a}`, `vxlan:1/${b}`]),
      ),
      { nil: undefined },
    ),
  })
  .map(({ pair, host: inside, ...rest }) =>
    ask({ ...rest, ...(inside ? { host: inside } : {}), ...(pair ? { pair: pair.join('~') } : {}) }),
  );

describe('the live view and a naive recomputation', () => {
  it('agree for any batches, windows and questions', () => {
    fc.assert(
      fc.property(epochs, fc.array(question, { minLength: 1, maxLength: 6 }), (list, questions) => {
        const live = new LiveView();
        const batches: FlowBatch[] = [];
        const records = new Map<FlowBatch, Known[]>();
        let now = 1_000_000;
        for (const [i, { records: rows, gap, lengthMs }] of list.entries()) {
          const startMs = now + gap;
          now = startMs + lengthMs;
          const batch = batchOf(rows, { epoch: i + 1, startMs, endMs: now, points: POINTS });
          batches.push(batch);
          records.set(batch, rows);
          live.write(batch);
          if (i % 7 === 0) assertSame(live.view(questions[0]!), naive(batches, records, questions[0]!));
        }
        for (const asked of questions) assertSame(live.view(asked), naive(batches, records, asked));
      }),
      { numRuns: 300 },
    );
  });

  it('agree on totals since the start however much is folded, while each flow is seen at one point', () => {
    const here = record.map((row) => ({ ...row, ifindex: 2, direction: 0 as const }));
    fc.assert(
      fc.property(fc.array(fc.array(here, { maxLength: 12 }), { minLength: 1, maxLength: 30 }), (list) => {
        const live = new LiveView({ maxFlows: 5, idleSeconds: 3 });
        let total = 0;
        for (const [i, rows] of list.entries()) {
          live.write(batchOf(rows, { epoch: i + 1 }));
          for (const row of rows) total += Number(row.octets);
        }
        assert.equal(live.view(ask({ window: 'all' })).total.octets, total);
        const five = list
          .slice(-5)
          .flat()
          .reduce((sum, row) => sum + Number(row.octets), 0);
        assert.equal(live.view(ask()).total.octets, five);
      }),
    );
  });
});
