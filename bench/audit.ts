/** Whether the audit holds: millions of packets over VXLAN, and what of them cannot be explained. */
import type { AuditPoint } from '../src/query/index.ts';
import {
  buildScene,
  OFFLOADS,
  type Offloads,
  playScene,
  removeScene,
  type SceneResult,
} from '../test/audit-scene.ts';
import type { Benchmark, Figure } from './figure.ts';

/** Where single packets are compared one to one, ten millions; where super-packets are, fewer. */
const PACKETS = { single: 5_000_000, others: 1_000_000, quick: 50_000 } as const;
const UNDERLAYS = [4, 6] as const;

export const audit: Benchmark = {
  name: 'audit',
  method:
    'Two namespaces with veth, VXLAN over IPv4 or IPv6 and a bridge, all of them metered in epochs of 0.2 s with room for ' +
    '256 flows behind the caches. TCP connections of 4 MiB one after the other, IPv4 and IPv6, inside the tunnel and beside it; meanwhile a ' +
    'burst of 40,000 flows overflows the flow table, and an interface is added and removed. Unexplained: over all ' +
    'observation points of both hosts and since the start, the interfaces’ own counters against the hook beyond the bounds, ' +
    'and the hook against flows and ledger, absolute (docs/audit.md). “One to one”: arrived with all offloads off, so that a ' +
    'single packet missing would show.',
  async run({ quick, progress }) {
    const figures: Figure[] = [];
    let packets = 0;
    let single = 0;
    try {
      for (const underlay of UNDERLAYS) {
        buildScene(underlay);
        for (const offloads of OFFLOADS) {
          const isSingle = offloads.segmentation === 'off' && offloads.gro === 'off';
          const least = quick ? PACKETS.quick : isSingle ? PACKETS.single : PACKETS.others;
          const name = `IPv${underlay}, segmentation ${offloads.segmentation}, GRO ${offloads.gro}`;
          progress(`${name}: ${least} packets`);
          const result = await playScene(offloads, least);
          figures.push(...figuresOf(name, result));
          packets += result.meters[0].point('eth0', 'egress').sinceStart.expected.most.packets;
          if (isSingle) single += oneToOne(result, offloads);
        }
      }
    } finally {
      removeScene();
    }
    const target = { of: 'figure', atLeast: quick ? 1 : 10_000_000 } as const;
    return [
      { name: 'packets sent in all', unit: 'packets', figure: packets, target },
      { name: 'of them compared one to one', unit: 'packets', figure: single, target },
      ...figures,
    ];
  },
};

/** Frames that arrived, if none of them was a super-packet. */
function oneToOne({ meters: [, receiver] }: SceneResult, offloads: Offloads): number {
  const { expected } = receiver.point('eth0', 'ingress').sinceStart;
  if (expected.least.packets !== expected.most.packets)
    throw new Error(`audit: super-packets arrived with ${JSON.stringify(offloads)}`);
  return expected.least.packets;
}

function figuresOf(name: string, { meters, connections, dropped }: SceneResult): Figure[] {
  const points = meters.flatMap((meter) => meter.audit().points);
  const unexplained = (measure: 'packets' | 'octets'): number =>
    points.reduce((sum, point) => sum + unexplainedAt(point, measure), 0);
  const [sent, arrived] = [meters[0].point('eth0', 'egress'), meters[1].point('eth0', 'ingress')];
  const { most } = sent.sinceStart.expected;
  const overflow = meters.map((meter) => meter.overflowed.length).join(' and ');
  const note = [
    `${most.packets} packets of ${most.octets} octets sent, ${arrived.sinceStart.seen.packets} frames arrived`,
    `${connections} connections`,
    `the table overflowed in ${overflow} epochs (${sent.sinceStart.overflow.packets} packets sent without detail)`,
    `${dropped} dropped by devices, ${meters.flatMap(({ told }) => told).length} warnings`,
  ].join('; ');
  const target = { of: 'figure', atMost: 0 } as const;
  return [
    { name: `${name}: unexplained`, unit: 'packets', figure: unexplained('packets'), target, note },
    { name: `${name}: unexplained`, unit: 'octets', figure: unexplained('octets'), target },
  ];
}

function unexplainedAt(point: AuditPoint, measure: 'packets' | 'octets'): number {
  const { interfaceName, direction, present, sinceStart } = point;
  if (present && !sinceStart.counted)
    throw new Error(`audit: ${interfaceName} ${direction} was not compared`);
  const outside = present ? Math.abs(sinceStart.outside[measure]) : 0;
  return outside + Math.abs(sinceStart.inside[measure]);
}
