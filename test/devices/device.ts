/** A device that tests build, as data: how either end makes it, and what its packets are on the cable below it. */
import type { Named } from '../../src/flow/index.ts';

/** An IP version. */
export type Version = 4 | 6;

/** One of the two ends: the last parts of its own addresses and of the other's. */
export interface End {
  readonly here: 1 | 2;
  readonly there: 1 | 2;
}

/** Both ends. */
export const ENDS: readonly End[] = [
  { here: 1, there: 2 },
  { here: 2, there: 1 },
];

/** A command that `ip -batch` cannot do, and its standard input. */
export interface Command {
  readonly words: readonly string[];
  readonly input?: string;
}

/** What makes an end, beside what all have: a cable called `under`, addresses of it, addresses of `tunnel`. */
export interface Making {
  /** Values below /proc/sys/net, once the cable is there. */
  readonly settings?: readonly (readonly [path: string, value: number])[];
  /** Lines of `ip -batch` that ask a generic netlink family (l2tp, fou), before the others. */
  readonly familyLines?: readonly string[];
  /** Lines of `ip -batch`. */
  readonly lines: readonly string[];
  /** After the lines. */
  readonly commands?: readonly Command[];
  /** A program that carries the packets, after the lines: it says `ready`, and ends with its input. */
  readonly carrier?: { readonly source: string; readonly words: readonly string[] };
}

/** A kind of device (or of route) that carries packets over a cable. */
export interface Device {
  /** Name of its test and of its row in docs/kernels.md. */
  readonly name: string;
  readonly make: (end: End) => Making;
  /** Lines of `ip -batch` that take away what does not go with the device called `tunnel`. */
  readonly unmake?: readonly string[];
  /** The versions of IP that it carries. */
  readonly inner: readonly Version[];
  /** The version that carries it; undefined where it lies on Ethernet. */
  readonly outer?: Version;
  /** What the records of the cable say of the tunnel. */
  readonly tunnels: readonly Named[];
  /** What else they say that is not usual. */
  readonly labels?: Readonly<Record<string, number | readonly string[]>>;
  /** Octets on the cable in front of the inner IP header. */
  readonly headers: number;
  /** Of them those that the stack holds beside the frame. */
  readonly beside?: number;
  /** Octets in front of it at the device itself, called `tunnel`; undefined: a route, there is none. */
  readonly ownHeaders?: 0 | 14;
  /** WireGuard: the cable's records say no more than that. */
  readonly isEncrypted?: true;
  /** The meter cannot know what this UDP port carries: the cable's records are of plain datagrams. */
  readonly plainPort?: number;
}

/** An address of the cable. */
export function outerAddress(version: Version, end: number): string {
  return version === 4 ? `10.9.0.${end}` : `fd09::${end}`;
}

/** An address behind the tunnel. */
export function innerAddress(version: Version, end: number): string {
  return version === 4 ? `10.8.0.${end}` : `fd08::${end}`;
}

/** Leaves room for every header below a cable of 1500. */
export const TUNNEL_MTU = 1400;

/** Octets of an Ethernet header. */
export const ETHERNET = 14;
/** Octets of a UDP header. */
export const UDP = 8;
/** Octets of a GRE header without options. */
export const GRE = 4;
/** Octets of an IP header. */
export const IP = { 4: 20, 6: 40 } as const;

/** A tunnel over IP as one line: `options` of `ip link add` beside the endpoints. */
export function tunnel(
  type: string,
  options: string,
  { outer, ...device }: Omit<Device, 'make' | 'name'> & { readonly outer: Version; readonly name?: string },
): Device {
  const line = ({ here, there }: End): string => {
    const local = type === 'geneve' ? '' : `local ${outerAddress(outer, here)}`;
    return `link add tunnel type ${type} ${local} remote ${outerAddress(outer, there)} ${options}`;
  };
  return { name: `${type} over IPv${outer}`, make: (end) => ({ lines: [line(end)] }), outer, ...device };
}
