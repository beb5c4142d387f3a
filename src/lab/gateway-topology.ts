/** A gateway from VLANs to workers: pairs of a client in a VLAN of its own and its worker, with the same addresses in every pair. */
import { z } from 'zod';
import { addressText, parseCidr, subnetText } from './address.ts';
import { type DocumentKind, unusable } from './document.ts';
import type { Host, Places } from './places.ts';
import { cidr } from './series.ts';

/** A gateway topology as a person writes it. */
export interface GatewayFile {
  network: 'gateway';
  title: string;
  hosts: { count: number; workerAddress: string; clientAddress: string };
  vlans: { first: number; last: number; seed: number };
}

const vid = z.int().min(1).max(4094);

/** `hosts.count` pairs; their VLANs are drawn from `vlans` without repeat, the same ones for the same seed. */
export const GatewaySchema: z.ZodType<GatewayFile> = z.strictObject({
  network: z.literal('gateway'),
  title: z.string().min(1),
  hosts: z.strictObject({ count: z.int().min(1).max(16), workerAddress: cidr, clientAddress: cidr }),
  vlans: z.strictObject({ first: vid, last: vid, seed: z.int().min(0).max(0xffffffff) }),
});

/** A client and its worker. */
export interface VlanPair {
  readonly client: Host;
  readonly worker: Host;
  readonly mac: string;
  readonly vid: number;
}

/** A gateway topology worked out; `hosts` are its workers and clients. */
export interface GatewayTopology extends Places {
  readonly network: 'gateway';
  readonly pairs: readonly VlanPair[];
}

/** Works a file out. @throws LabError `LAB_TOPOLOGY` */
export function expandGateway(kind: DocumentKind, name: string, file: GatewayFile): GatewayTopology {
  const { hosts, vlans } = file;
  const complaints: string[] = [];
  const [worker, client] = [parseCidr(hosts.workerAddress)!, parseCidr(hosts.clientAddress)!];
  if (subnetText(worker) !== subnetText(client))
    complaints.push(`hosts.clientAddress is "${hosts.clientAddress}": wanted one in ${subnetText(worker)}`);
  if (vlans.last - vlans.first + 1 < hosts.count)
    complaints.push(
      `vlans go from ${vlans.first} to ${vlans.last}: wanted at least ${hosts.count}, one per client`,
    );
  if (complaints.length > 0) throw unusable(kind, name, complaints);
  const drawn = draw(vlans, hosts.count);
  const place = (at: string, address: typeof worker): Host => ({
    ...{ name: at, namespace: at, interface: 'eth0' },
    ...{ address: addressText(address), prefixLength: address.prefixLength },
  });
  const pairs = drawn.map((vid, i) => ({
    client: place(`client${i + 1}`, client),
    worker: place(`worker${i + 1}`, worker),
    mac: `02:00:00:00:00:${(i + 1).toString(16).padStart(2, '0')}`,
    vid,
  }));
  return {
    network: 'gateway',
    name,
    title: file.title,
    underlay: 4,
    port: 4789,
    mtu: 1500,
    hosts: pairs.flatMap((pair) => [pair.worker, pair.client]),
    segments: [],
    clients: [],
    monitored: { namespace: 'gateway', interface: 'eth0b' },
    pairs,
  };
}

/** So many of the numbers without repeat, by a linear congruential generator (Numerical Recipes' constants). */
function draw({ first, last, seed }: GatewayFile['vlans'], count: number): number[] {
  const left = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return left.splice(Math.floor((state / 2 ** 32) * left.length), 1)[0]!;
  });
}
