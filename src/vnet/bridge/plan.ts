/** What a configuration comes to on this host, before anything is made. */
import { VnetError } from '../error.ts';
import type { BridgeConfiguration, BridgeSegment, TunnelEnd } from './configuration.ts';
import type { Membership, WantedPeer } from './membership.ts';
import { type PlannedPort, planPorts } from './ports.ts';
import { MAX_PEERS, MAX_PORTS } from './tables.ts';

/** A segment as it is to be. */
export interface PlannedSegment {
  readonly vni: number;
  readonly mtu: number;
  readonly layout: BridgeSegment['layout'];
  /** To whom it is flooded in mode multicast. */
  readonly group: TunnelEnd | undefined;
  readonly peers: readonly WantedPeer[];
  readonly ports: readonly PlannedPort[];
  readonly statics: BridgeSegment['static'];
}

/**
 * Every segment with its ports and peers.
 *
 * @param fits the longest payload of a frame that fits into the tunnel
 * @throws VnetError `VNET_MTU`, `VNET_PEERS`, `VNET_INTERFACE`
 */
export function planSegments(
  { mode, group, segments }: BridgeConfiguration,
  membership: Membership,
  { own, fits }: { readonly own: TunnelEnd; readonly fits: number },
): PlannedSegment[] {
  return segments.map((segment) => {
    const { vni, mtu = fits, layout } = segment;
    const peers = membership.peersOf(vni).filter(({ end }) => end.text !== own.text);
    demandFit(segment, { mtu, fits, own, peers });
    const ports = planPorts(
      segment,
      mtu,
      peers.map(({ end }) => end),
    );
    if (layout === 'replicate' && ports.length > MAX_PORTS)
      throw new VnetError('VNET_INTERFACE', `VNI ${vni} has ${ports.length} ports; ${MAX_PORTS} is the most`);
    return {
      vni,
      mtu,
      layout,
      group: mode === 'multicast' ? (segment.group ?? group) : undefined,
      peers,
      ports,
      statics: segment.static,
    };
  });
}

function demandFit(
  { vni, static: statics, ports, bridge }: BridgeSegment,
  {
    mtu,
    fits,
    own,
    peers,
  }: {
    readonly mtu: number;
    readonly fits: number;
    readonly own: TunnelEnd;
    readonly peers: readonly WantedPeer[];
  },
): void {
  if (mtu > fits)
    throw new VnetError(
      'VNET_MTU',
      `VNI ${vni} has mtu ${mtu} in the configuration, and ${fits} fit into the tunnel; lower it, or raise the MTU of the underlay`,
    );
  const stranger = peers.find(({ end }) => end.family !== own.family);
  if (stranger)
    throw new VnetError(
      'VNET_PEERS',
      `VNI ${vni}: the peer ${stranger.end.text} is not of IPv${own.family}, as ${own.text}, which is this host's, is`,
    );
  if (peers.length > MAX_PEERS)
    throw new VnetError('VNET_PEERS', `VNI ${vni} has ${peers.length} peers; ${MAX_PEERS} is the most`);
  for (const { mac, port } of statics)
    if (port !== undefined && port !== bridge && !ports.includes(port))
      throw new VnetError(
        'VNET_INTERFACE',
        `VNI ${vni}: the static entry ${mac} is at "${port}", which is no port of it; it has ${[...(bridge ? [bridge] : []), ...ports].join(', ')}`,
      );
}
