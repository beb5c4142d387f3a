/** What a killed bridge left beside its pins: interfaces, and addresses by which groups are joined. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { BpfMap } from '../../bpf/index.ts';
import { PeerKey } from '../gen/bridge.ts';
import { pinPath } from '../pinned.ts';
import { formatTunnelEnd } from './address.ts';
import { aliasOf } from './links.ts';
import { wordsOf } from './tables.ts';

/**
 * Takes it away, in whichever network namespace with a name (or this one) it is. To be called before the pins go: they say which
 * groups there were. Nothing happens where nothing is.
 */
export function removeBridgeLeftovers(instance: string): void {
  const groups = joinedGroups(instance);
  for (const namespace of [undefined, ...namespaces()]) {
    const made = linksOf(namespace).filter(({ alias }) => alias === aliasOf(instance));
    for (const { name } of made) tryIp(namespace, 'link', 'del', name);
    // Where the devices were, the groups were joined.
    if (made.length === 0) continue;
    for (const { device, address } of joining(namespace))
      if (groups.has(address)) tryIp(namespace, 'addr', 'del', `${address}/32`, 'dev', device);
  }
}

/** IPv4 groups of the tables; those of IPv6 are joined by devices. */
function joinedGroups(instance: string): Set<string> {
  const groups = new Set<string>();
  try {
    using map = BpfMap.openPinned(pinPath(instance, 'peer_numbers'));
    for (const key of map.keys()) {
      const address = wordsOf(key).subarray(PeerKey.offsets.address / 4);
      const isIpv4 = address[1] === 0 && address[2] === 0 && address[3] === 0;
      if (isIpv4 && address[0]! >>> 28 === 0xe) groups.add(formatTunnelEnd(address, 4));
    }
  } catch {
    // No bridge of that name, or its pins have gone.
  }
  return groups;
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

function linksOf(namespace: string | undefined): { readonly name: string; readonly alias: string }[] {
  interface Row {
    readonly ifname: string;
    readonly ifalias?: string;
  }
  const rows = JSON.parse(tryIp(namespace, '-j', 'link', 'show') ?? '[]') as readonly Row[];
  return rows.map(({ ifname, ifalias = '' }) => ({ name: ifname, alias: ifalias }));
}

function joining(namespace: string | undefined): { readonly device: string; readonly address: string }[] {
  interface Row {
    readonly ifname?: string;
    readonly addr_info?: readonly { readonly local?: string; readonly autojoin?: boolean }[];
  }
  const rows = JSON.parse(tryIp(namespace, '-4', '-j', 'addr', 'show') ?? '[]') as readonly Row[];
  return rows.flatMap(({ ifname, addr_info = [] }) =>
    addr_info.flatMap(({ local, autojoin }) =>
      ifname !== undefined && local !== undefined && autojoin ? [{ device: ifname, address: local }] : [],
    ),
  );
}

/** @returns what it printed; undefined where it failed, as when something has gone meanwhile */
function tryIp(namespace: string | undefined, ...words: readonly string[]): string | undefined {
  const all = namespace === undefined ? words : ['-n', namespace, ...words];
  try {
    return execFileSync('ip', all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
