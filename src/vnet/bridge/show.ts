/** All that a bridge knows, as an answer. */
import type { VirtualBridge } from '../../query/index.ts';
import { countOf, headOf, type Tellings } from '../function.ts';
import { Origin, Outcome, PlaceKind } from '../gen/bridge.ts';
import { readLedger } from '../ledger.ts';
import type { PinnedObject } from '../pinned.ts';
import { formatTunnelEnd } from './address.ts';
import type { BridgeConfiguration } from './configuration.ts';
import type { Entries } from './entries.ts';
import type { Notices } from './notices.ts';
import type { PlannedSegment } from './plan.ts';
import type { ActivePort } from './segments.ts';
import type { PlaceTraffic, Tables } from './tables.ts';
import type { TunnelSide } from './tunnel.ts';

type OutcomeName = Exclude<keyof typeof Outcome, 'OUTCOME_COUNT'>;

/** From the first of them on, outcomes are drops. */
const DROPS: ReadonlySet<OutcomeName> = new Set(
  Object.entries(Outcome).flatMap(([name, number]) =>
    number >= Outcome.NO_RECIPIENT && name !== 'OUTCOME_COUNT' ? [name as OutcomeName] : [],
  ),
);

const MS_NS = 1_000_000n;
/** 10.0.0.9 before 10.0.0.10. */
const BY_NUMBERS = new Intl.Collator('en', { numeric: true });

/** What is asked. */
export interface ShowOptions {
  readonly name: string;
  readonly tellings: Tellings;
  readonly configuration: BridgeConfiguration;
  readonly plan: readonly PlannedSegment[];
  readonly side: TunnelSide;
  readonly pinned: PinnedObject;
  readonly tables: Tables;
  readonly entries: Entries;
  readonly notices: Notices;
  readonly ports: readonly ActivePort[];
}

/** The answer to `show`. */
export function showBridge(options: ShowOptions): VirtualBridge {
  const { configuration, side, tables, ports, plan } = options;
  const { tunnel, mode } = configuration;
  const now = process.hrtime.bigint();
  const far = tables.peers();
  const names = new Map<number, { readonly port: string | null; readonly peer: string | null }>();
  for (const { number, name } of ports) names.set(number, { port: name, peer: null });
  for (const { number, address } of far)
    names.set(number, { port: null, peer: formatTunnelEnd(address, side.own.family) });
  const entries = options.entries.list();
  return {
    ...headOf(options.name, {
      ledger: readLedger<keyof typeof Outcome>(options.pinned.map('ledger'), Outcome),
      drops: DROPS,
      tellings: options.tellings,
    }),
    kind: 'bridge',
    mode,
    tunnel: {
      kind: tunnel.kind,
      device: side.device === undefined ? '' : tunnel.device,
      port: tunnel.kind === 'vxlan' && side.device !== undefined ? tunnel.port : null,
      address: side.own.text,
      mtu: side.mtu,
    },
    segments: plan.map(({ vni, group, mtu }) => ({ vni, group: group?.text ?? null, mtu })),
    ports: ports.map(({ name, ifindex, vni, kind, bridge, isPresent, number }) => ({
      name,
      ifindex,
      vni,
      kind,
      bridge: bridge ?? null,
      present: isPresent,
      ...trafficOf(tables.traffic(number)),
    })),
    peers: far
      .map(({ vni, address, origin, number, kind }) => {
        const traffic = tables.traffic(number);
        return {
          vni,
          address: formatTunnelEnd(address, side.own.family),
          isConfigured: origin !== Origin.MET,
          isGroup: kind === PlaceKind.GROUP,
          idleMs: idleMs(now, traffic.seenNs),
          ...trafficOf(traffic),
        };
      })
      .sort((a, b) => a.vni - b.vni || BY_NUMBERS.compare(a.address, b.address)),
    table: { capacity: options.entries.capacity, used: entries.length },
    notices: Object.entries(options.notices.counts()).map(([name, count]) => ({
      name: name.toLowerCase().replaceAll('_', '-'),
      count,
    })),
    entries: entries
      .map(({ vni, mac, place, isStatic, seenNs, moves, received, sent }) => ({
        vni,
        mac,
        port: names.get(place)?.port ?? null,
        peer: names.get(place)?.peer ?? null,
        isStatic,
        idleMs: idleMs(now, seenNs),
        moves,
        received: countOf(received),
        sent: countOf(sent),
      }))
      .sort((a, b) => a.vni - b.vni || (a.mac < b.mac ? -1 : 1)),
  };
}

function trafficOf({
  received,
  sent,
}: PlaceTraffic): Pick<VirtualBridge['ports'][number], 'received' | 'sent'> {
  return { received: countOf(received), sent: countOf(sent) };
}

/** The kernel's clock and ours are one, but read on different CPUs. */
function idleMs(now: bigint, seenNs: bigint): number | null {
  if (seenNs === 0n) return null;
  return Number(now > seenNs ? (now - seenNs) / MS_NS : 0n);
}
