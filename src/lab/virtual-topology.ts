/** A virtual topology on one hypervisor: machine – bridge – router – bridge – machine, the lines between them made of BPF. */
import { z } from 'zod';
import { addressText, hostAt, isNetworkAddress, parseCidr } from './address.ts';
import { type DocumentKind, unusable } from './document.ts';
import type { Host, Places } from './places.ts';
import { cidr } from './series.ts';

/** A virtual topology as a person writes it. */
export interface VirtualFile {
  network: 'virtual';
  title: string;
  bridges: 'linux' | 'bpf';
  subnets: [string, string];
}

/** `bridges`: the kernel's own with cables to them, or BPF programs that are bridges themselves. */
export const VirtualSchema: z.ZodType<VirtualFile> = z.strictObject({
  network: z.literal('virtual'),
  title: z.string().min(1),
  bridges: z.enum(['linux', 'bpf']),
  subnets: z.tuple([cidr, cidr]),
});

/** A virtual topology worked out; its machines are `hosts`: `ns1`, `ns2`, and `router` with an address in each subnet. */
export interface VirtualTopology extends Places {
  readonly network: 'virtual';
  readonly bridges: 'linux' | 'bpf';
  /** The router's addresses, of the first and the second subnet. */
  readonly gateways: readonly [string, string];
}

/** The host number of the router, in both subnets. */
const ROUTER = 254;

/** Works a file out. @throws LabError `LAB_TOPOLOGY` */
export function expandVirtual(kind: DocumentKind, name: string, file: VirtualFile): VirtualTopology {
  const complaints: string[] = [];
  const machines = file.subnets.flatMap((text, i): { machine: Host; gateway: string }[] => {
    const subnet = parseCidr(text)!;
    const [first, router] = [hostAt(subnet, 1), hostAt(subnet, ROUTER)];
    if (!isNetworkAddress(subnet) || subnet.family !== 4 || first === undefined || router === undefined) {
      complaints.push(
        `subnets.${i} is "${text}": wanted an IPv4 subnet's own address with room for ${ROUTER}`,
      );
      return [];
    }
    const { prefixLength } = subnet;
    const at = `ns${i + 1}`;
    return [
      {
        machine: { name: at, namespace: at, interface: 'eth0', address: addressText(first), prefixLength },
        gateway: addressText(router),
      },
    ];
  });
  if (file.subnets[0] === file.subnets[1])
    complaints.push(`subnets are both "${file.subnets[0]}": wanted two`);
  if (complaints.length > 0) throw unusable(kind, name, complaints);
  return {
    network: 'virtual',
    name,
    title: file.title,
    underlay: 4,
    port: 4789,
    mtu: 1500,
    hosts: machines.map(({ machine }) => machine),
    segments: [],
    clients: [],
    monitored: { namespace: 'hypervisor', interface: 'v1' },
    bridges: file.bridges,
    gateways: [machines[0]!.gateway, machines[1]!.gateway],
  };
}
