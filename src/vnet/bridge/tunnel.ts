/** The tunnel's device, which all segments share, and the groups that this host listens to. */
import { VnetError } from '../error.ts';
import { ADDRESS_WORDS, parseTunnelEnd } from './address.ts';
import type { BridgeConfiguration, TunnelEnd } from './configuration.ts';
import { aliasOf, attempt, type Link, readAddresses, run } from './links.ts';

/** What a frame gets before it, up to the underlay's IP header: octets, by kind of tunnel and family. */
const OVERHEAD = {
  vxlan: { 4: 20 + 8 + 8 + 14, 6: 40 + 8 + 8 + 14 },
  gretap: { 4: 20 + 8 + 14, 6: 40 + 8 + 14 },
} as const;

/** This host's end of all tunnels; of a bridge without tunnels a placeholder. */
export interface TunnelSide {
  /** The underlay's interface; undefined: there are no tunnels, segments end on this host. */
  readonly device: string | undefined;
  readonly own: TunnelEnd;
  /** Longest payload of an Ethernet frame that fits. */
  readonly mtu: number;
}

/** What a local segment can carry, where nothing is to go round it. */
const LOCAL: TunnelSide = {
  device: undefined,
  own: { text: '', family: 4, isGroup: false, words: new Uint32Array(ADDRESS_WORDS) },
  mtu: 65_521,
};

/** Finds this host's address and what fits. @throws VnetError `VNET_INTERFACE` */
export function tunnelSide(
  { underlay, tunnel, group, peers, segments }: BridgeConfiguration,
  links: ReadonlyMap<string, Link>,
): TunnelSide {
  if (underlay === undefined) return LOCAL;
  const link = links.get(underlay.device);
  if (link === undefined)
    throw new VnetError(
      'VNET_INTERFACE',
      `underlay.device: there is no interface "${underlay.device}" here; "ip link" lists them`,
    );
  const addresses = readAddresses(underlay.device).filter(({ joins }) => !joins);
  const ends = addresses.flatMap(({ text }) => parseTunnelEnd(text) ?? []);
  const named = [
    ...(group ? [group] : []),
    ...peers,
    ...segments.flatMap((each) => [...(each.group ? [each.group] : []), ...(each.peers ?? [])]),
  ];
  const wanted = underlay.address?.family ?? named[0]?.family;
  const own = underlay.address ?? ends.find(({ family }) => wanted === undefined || family === wanted);
  if (own === undefined || !ends.some(({ text }) => text === own.text))
    throw new VnetError(
      'VNET_INTERFACE',
      `underlay: ${underlay.device} has ${own ? `not the address ${own.text}` : 'no address'} (it has ${
        addresses.map(({ text }) => text).join(', ') || 'none'
      }); give it one with "ip addr add"`,
    );
  const other = named.find(({ family }) => family !== own.family);
  if (other)
    throw new VnetError(
      'VNET_INTERFACE',
      `${other.text} is an IPv${other.family} address and ${own.text}, of this host, is not: all tunnel ends must be of one family`,
    );
  return { device: underlay.device, own, mtu: link.mtu - OVERHEAD[tunnel.kind][own.family] };
}

/** Has the device be there and up. @returns it @throws VnetError */
export function ensureTunnel(
  { tunnel }: BridgeConfiguration,
  {
    side,
    links,
    instance,
  }: {
    readonly side: TunnelSide;
    readonly links: ReadonlyMap<string, Link>;
    readonly instance: string;
  },
): { readonly isOurs: boolean } {
  const { device, kind, port } = tunnel;
  const former = links.get(device);
  const alias = aliasOf(instance);
  if (former?.alias.startsWith(aliasOf('')) && former.alias !== alias)
    throw new VnetError(
      'VNET_INTERFACE',
      `tunnel.device: "${device}" belongs to the bridge "${former.alias.slice(aliasOf('').length)}"; name another device, with a port of its own`,
    );
  if (former !== undefined && !(former.alias === alias && isOtherwise(former, tunnel))) {
    demandUsable(former, tunnel);
    run('ip', 'link', 'set', device, 'up');
    return { isOurs: former.alias === alias };
  }
  // With another port or of another kind than a former process of this name had it.
  if (former !== undefined) run('ip', 'link', 'del', device);
  const family = side.own.family === 6 && kind === 'gretap' ? 'ip6gretap' : kind;
  const more = kind === 'vxlan' ? ['dstport', String(port), 'nolearning'] : [];
  run('ip', 'link', 'add', device, 'type', family, 'external', ...more);
  run('ip', 'link', 'set', device, 'alias', alias, 'addrgenmode', 'none');
  attempt('ip', 'link', 'set', device, 'mtu', String(side.mtu));
  run('ip', 'link', 'set', device, 'up');
  return { isOurs: true };
}

function isOtherwise(
  { kind, attributes }: Link,
  { kind: wanted, port }: BridgeConfiguration['tunnel'],
): boolean {
  return !kind.endsWith(wanted) || (wanted === 'vxlan' && attributes.port !== port);
}

function demandUsable(link: Link, tunnel: BridgeConfiguration['tunnel']): void {
  const external = link.attributes.external === true || link.attributes.collect_metadata === true;
  if (link.kind.endsWith(tunnel.kind) && external && !isOtherwise(link, tunnel)) return;
  const found = `a device of kind "${link.kind || 'hardware'}"${external ? '' : ' that does not collect metadata'}`;
  throw new VnetError(
    'VNET_INTERFACE',
    `tunnel.device: "${tunnel.device}" is ${found}, and ${tunnel.kind} with "external" is wanted${
      tunnel.kind === 'vxlan' ? `, port ${tunnel.port}` : ''
    }; name another one, or remove it: it is made where there is none`,
  );
}

/**
 * Has this host listen to a group on the underlay's device. A socket of this process would end with it: for IPv4 an address that
 * joins outlives it. For IPv6 such an address would make the group one of this host's own, to which nothing is sent
 * any more: there it is a VXLAN device of the kernel that does nothing but listen.
 */
export function joinGroup(
  group: TunnelEnd,
  {
    vni,
    device,
    instance,
    links,
  }: {
    readonly vni: number;
    readonly device: string;
    readonly instance: string;
    readonly links: ReadonlyMap<string, Link>;
  },
): void {
  if (group.family === 6) {
    const name = `tsg${vni}`;
    if (links.has(name)) return;
    const port = String(LISTENING_PORT);
    run(
      ...(['ip', 'link', 'add', name, 'type', 'vxlan', 'id', String(vni), 'group', group.text] as const),
      ...(['dev', device, 'dstport', port, 'nolearning'] as const),
    );
    run('ip', 'link', 'set', name, 'alias', aliasOf(instance), 'addrgenmode', 'none');
    run('ip', 'link', 'set', name, 'up');
    // By which device what is for the group leaves.
    run('ip', '-6', 'route', 'replace', 'multicast', `${group.text}/128`, 'dev', device, 'table', 'local');
    return;
  }
  if (readAddresses(device).some(({ text }) => text === group.text)) return;
  run('ip', 'addr', 'add', `${group.text}/32`, 'dev', device, 'autojoin');
}

/** Nobody sends to it: what comes for a group comes to the port of the tunnels. */
const LISTENING_PORT = 65_535;

/** Takes back {@link joinGroup}. */
export function leaveGroup(
  group: string,
  { vni, device }: { readonly vni: number; readonly device: string },
): void {
  if (!group.includes(':')) {
    attempt('ip', 'addr', 'del', `${group}/32`, 'dev', device);
    return;
  }
  attempt('ip', 'link', 'del', `tsg${vni}`);
  attempt('ip', '-6', 'route', 'del', 'multicast', `${group}/128`, 'dev', device, 'table', 'local');
}
