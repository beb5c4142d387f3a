/** Ports of segments on this host: a veth pair into a Linux bridge, or a tenant's interface as it is. */
import { createHash } from 'node:crypto';
import { VnetError } from '../error.ts';
import { Delivery } from '../gen/bridge.ts';
import type { BridgeSegment, TunnelEnd } from './configuration.ts';
import { aliasOf, attempt, type Link, run } from './links.ts';

/** A port that is to be. */
export interface PlannedPort {
  readonly vni: number;
  /** The interface with our program; of a pair the end that is in the Linux bridge. */
  readonly name: string;
  readonly kind: 'bridge' | 'direct' | 'peer';
  readonly bridge: string | undefined;
  /** Whose port it is, of kind `peer`. */
  readonly peer: TunnelEnd | undefined;
  readonly mtu: number;
}

/**
 * The names of a pair, from what it is for: always the same, never another's, and within 15 characters.
 *
 * @returns the end in the bridge, and the other one
 */
export function pairNames(vni: number, peer?: TunnelEnd): readonly [string, string] {
  if (peer === undefined) return [`tsb${vni}`, `tsc${vni}`];
  const digest = createHash('sha256').update(peer.text).digest();
  // 24 bits of VNI take 5 digits to the base of 36, and 31 bits of digest 6.
  const mark = `${vni.toString(36)}p${(digest.readUInt32BE(0) >>> 1).toString(36)}`;
  return [`ts${mark}`, `tx${mark}`];
}

/** The ports of a segment. @param peers for layout `port-per-peer` */
export function planPorts(segment: BridgeSegment, mtu: number, peers: readonly TunnelEnd[]): PlannedPort[] {
  const { vni, bridge, ports, layout } = segment;
  if (layout === 'port-per-peer')
    return peers.map((peer) => ({ vni, name: pairNames(vni, peer)[0], kind: 'peer', bridge, peer, mtu }));
  const direct = ports.map(
    (name): PlannedPort => ({ vni, name, kind: 'direct', bridge: undefined, peer: undefined, mtu }),
  );
  if (bridge === undefined) return direct;
  return [{ vni, name: pairNames(vni)[0], kind: 'bridge', bridge, peer: undefined, mtu }, ...direct];
}

/**
 * Looks whether the ports can be had, before anything is made.
 *
 * @throws VnetError `VNET_INTERFACE`, `VNET_MTU`
 */
export function demandPorts(
  ports: readonly PlannedPort[],
  links: ReadonlyMap<string, Link>,
  instance: string,
): void {
  const users = new Map<string, number>();
  for (const { vni, name, kind, bridge, mtu } of ports) {
    const other = users.get(name);
    if (other !== undefined)
      throw new VnetError(
        'VNET_INTERFACE',
        `${name} is a port of VNI ${other} and of VNI ${vni}: it can be in one`,
      );
    users.set(name, vni);
    const link = links.get(name);
    if (kind === 'direct') demandDirect(vni, { name, link, mtu });
    else {
      const found = links.get(bridge!);
      if (found?.kind !== 'bridge')
        throw new VnetError(
          'VNET_INTERFACE',
          `VNI ${vni}: ${found ? `"${bridge}" is no Linux bridge` : `there is no Linux bridge "${bridge}"`}; make it with "ip link add ${bridge} type bridge"`,
        );
      if (link !== undefined && link.alias !== aliasOf(instance))
        throw new VnetError(
          'VNET_INTERFACE',
          `VNI ${vni}: the port would be ${name}, and there is one of that name${
            link.alias === '' ? '' : ` ("${link.alias}")`
          }; stop the other bridge or remove it with "ip link del ${name}"`,
        );
    }
  }
}

function demandDirect(
  vni: number,
  { name, link, mtu }: { readonly name: string; readonly link: Link | undefined; readonly mtu: number },
): void {
  if (link === undefined)
    throw new VnetError(
      'VNET_INTERFACE',
      `VNI ${vni}: there is no interface "${name}" here; "ip link" lists them`,
    );
  if (link.master !== undefined)
    throw new VnetError(
      'VNET_INTERFACE',
      `VNI ${vni}: ${name} is a port of ${link.master}; name that as the segment's bridge, or take it out with "ip link set ${name} nomaster"`,
    );
  if (link.mtu > mtu)
    throw new VnetError(
      'VNET_MTU',
      `VNI ${vni}: ${name} has MTU ${link.mtu} and ${mtu} fit into the segment; "ip link set ${name} mtu ${mtu}" (and at its other end), or raise the MTU of the underlay`,
    );
}

/** Has a pair be there and in its bridge. */
export function ensurePair(port: PlannedPort, links: ReadonlyMap<string, Link>, instance: string): void {
  const { vni, name, bridge, mtu, peer } = port;
  const far = pairNames(vni, peer)[1];
  const link = links.get(name);
  if (link === undefined) {
    attempt('ip', 'link', 'del', far);
    run(
      'ip',
      'link',
      'add',
      name,
      'mtu',
      String(mtu),
      'type',
      'veth',
      'peer',
      'name',
      far,
      'mtu',
      String(mtu),
    );
  }
  if (link === undefined || link.mtu !== mtu || link.master !== bridge)
    for (const end of [name, far]) {
      const master = end === name ? ['master', bridge!] : [];
      // Neither end is a host of its own: no address, so that nothing is sent but what the bridge sends.
      run(
        'ip',
        'link',
        'set',
        end,
        'alias',
        aliasOf(instance),
        'addrgenmode',
        'none',
        'mtu',
        String(mtu),
        ...master,
      );
      run('ip', 'link', 'set', end, 'up');
    }
}

/** Ports of one bridge that must not speak to one another: what came from a tunnel would go into another one. */
export function isolate(ports: readonly PlannedPort[]): void {
  const made = ports.filter(({ bridge }) => bridge !== undefined);
  for (const { name, bridge } of made)
    if (made.filter((each) => each.bridge === bridge).length > 1)
      run('bridge', 'link', 'set', 'dev', name, 'isolated', 'on');
}

/** How frames get to a port. */
export function deliveryOf({ kind }: PlannedPort, link: Link): Delivery {
  if (kind !== 'direct') return Delivery.AS_RECEIVED;
  return link.kind === 'veth' && link.hasFarEnd ? Delivery.TO_FAR_END : Delivery.BY_SENDING;
}
