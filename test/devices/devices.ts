/** The devices that tests build, as data: how either end makes one, and what its packets are on the cable below it. */
import { generateKeyPairSync } from 'node:crypto';
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
  /** Lines of `ip -batch`. */
  readonly lines: readonly string[];
  /** After the lines. */
  readonly commands?: readonly Command[];
}

/** A kind of device (or of route) that carries packets over a cable. */
export interface Device {
  /** Name of its test and of its row in docs/kernels.md. */
  readonly name: string;
  readonly make: (end: End) => Making;
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

const ETHERNET = 14;
const TAG = 4;
const LABEL = 4;
const UDP = 8;
const GRE = 4;
/** RFC 2890: each of key, sequence number and (with its reserved half) checksum. */
const GRE_OPTION = 4;
/** RFC 2473: a destination option, padded to 8; Linux sends it unless told not to. */
const ENCAPSULATION_LIMIT = 8;
const IP = { 4: 20, 6: 40 } as const;

/** A tunnel over IP as one line: `options` of `ip link add` beside the endpoints. */
function tunnel(
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

const UDP_TUNNELS: readonly Device[] = ([4, 6] as const).flatMap((outer) => {
  const frame = { inner: [4, 6], outer, ownHeaders: ETHERNET } as const;
  const headers = ETHERNET + IP[outer] + UDP + 8 + ETHERNET;
  return [
    tunnel('vxlan', 'id 5001 dstport 4789', { ...frame, headers, tunnels: [{ kind: 'vxlan', id: 5001 }] }),
    tunnel('geneve', 'id 5002 dstport 6081', { ...frame, headers, tunnels: [{ kind: 'geneve', id: 5002 }] }),
  ];
});

const GRE_TUNNELS: readonly Device[] = [
  tunnel('gretap', 'key 7001', {
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'gretap', id: 7001 }],
    headers: ETHERNET + IP[4] + GRE + GRE_OPTION + ETHERNET,
    ownHeaders: ETHERNET,
  }),
  tunnel('ip6gretap', 'key 7002 encaplimit none', {
    outer: 6,
    inner: [4, 6],
    tunnels: [{ kind: 'gretap', id: 7002 }],
    headers: ETHERNET + IP[6] + GRE + GRE_OPTION + ETHERNET,
    ownHeaders: ETHERNET,
  }),
  tunnel('gre', '', {
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'gre', id: 0 }],
    headers: ETHERNET + IP[4] + GRE,
    ownHeaders: 0,
  }),
  tunnel('gre', 'key 7003 csum seq', {
    name: 'gre over IPv4 with key, checksum and sequence',
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'gre', id: 7003 }],
    headers: ETHERNET + IP[4] + GRE + 3 * GRE_OPTION,
    ownHeaders: 0,
  }),
  tunnel('ip6gre', 'key 7004', {
    name: 'ip6gre over IPv6 with an encapsulation limit',
    outer: 6,
    inner: [4, 6],
    tunnels: [{ kind: 'gre', id: 7004 }],
    headers: ETHERNET + IP[6] + ENCAPSULATION_LIMIT + GRE + GRE_OPTION,
    ownHeaders: 0,
  }),
];

/** draft-foschiano-erspan: type I has nothing behind GRE, II has 8 octets, III has 12. */
const ERSPAN: readonly Device[] = [
  tunnel('erspan', 'erspan_ver 0', {
    name: 'erspan I over IPv4',
    outer: 4,
    inner: [4],
    tunnels: [{ kind: 'erspan-1', id: null }],
    headers: ETHERNET + IP[4] + GRE + ETHERNET,
    ownHeaders: ETHERNET,
  }),
  tunnel('erspan', 'seq key 30 erspan_ver 1 erspan 123', {
    name: 'erspan II over IPv4',
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'erspan-2', id: 30 }],
    headers: ETHERNET + IP[4] + GRE + GRE_OPTION + 8 + ETHERNET,
    ownHeaders: ETHERNET,
  }),
  tunnel('erspan', 'seq key 31 erspan_ver 2 erspan_dir ingress erspan_hwid 7', {
    name: 'erspan III over IPv4',
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'erspan-3', id: 31 }],
    headers: ETHERNET + IP[4] + GRE + GRE_OPTION + 12 + ETHERNET,
    ownHeaders: ETHERNET,
  }),
  tunnel('ip6erspan', 'seq key 32 erspan_ver 1 erspan 124 encaplimit none', {
    name: 'ip6erspan II over IPv6',
    outer: 6,
    inner: [4, 6],
    tunnels: [{ kind: 'erspan-2', id: 32 }],
    headers: ETHERNET + IP[6] + GRE + GRE_OPTION + 8 + ETHERNET,
    ownHeaders: ETHERNET,
  }),
];

const IP_TUNNELS: readonly Device[] = [
  tunnel('ipip', '', {
    outer: 4,
    inner: [4],
    tunnels: [{ kind: 'ipip', id: null }],
    headers: ETHERNET + IP[4],
    ownHeaders: 0,
  }),
  tunnel('sit', '', {
    outer: 4,
    inner: [6],
    tunnels: [{ kind: 'sit', id: null }],
    headers: ETHERNET + IP[4],
    ownHeaders: 0,
  }),
  tunnel('ip6tnl', 'mode ip6ip6 encaplimit none', {
    name: 'ip6tnl, IPv6 over IPv6',
    outer: 6,
    inner: [6],
    tunnels: [{ kind: 'ip6ip6', id: null }],
    headers: ETHERNET + IP[6],
    ownHeaders: 0,
  }),
  tunnel('ip6tnl', 'mode ipip6', {
    name: 'ip6tnl, IPv4 over IPv6 with an encapsulation limit',
    outer: 6,
    inner: [4],
    tunnels: [{ kind: 'ip4ip6', id: null }],
    headers: ETHERNET + IP[6] + ENCAPSULATION_LIMIT,
    ownHeaders: 0,
  }),
];

const ON_ETHERNET: readonly Device[] = [
  {
    name: 'VLAN (802.1Q)',
    make: () => ({ lines: ['link add link under name tunnel type vlan id 100'] }),
    inner: [4, 6],
    tunnels: [],
    labels: { vlan: 100 },
    headers: ETHERNET + TAG,
    beside: TAG,
    ownHeaders: ETHERNET,
  },
  {
    name: 'QinQ (802.1ad)',
    make: () => ({
      lines: [
        'link add link under name service type vlan proto 802.1ad id 200',
        'link set service addrgenmode none up',
        'link add link service name tunnel type vlan id 100',
      ],
    }),
    inner: [4, 6],
    tunnels: [],
    labels: { vlan: 200, secondVlan: 100 },
    headers: ETHERNET + 2 * TAG,
    beside: TAG,
    ownHeaders: ETHERNET,
  },
  {
    name: 'macvlan',
    make: () => ({
      lines: ['link add link under name tunnel type macvlan mode bridge'],
      // Else the cable answers for the addresses of the device on it.
      settings: [['ipv4/conf/all/arp_ignore', 1]],
    }),
    inner: [4, 6],
    tunnels: [],
    headers: ETHERNET,
    ownHeaders: ETHERNET,
  },
  {
    name: 'MPLS (a route)',
    make: ({ here, there }) => ({
      lines: [
        // A neighbour is sought from it when the packet that waits does not begin with IPv6.
        `addr add fe80::${here}/64 dev under nodad`,
        `route add ${innerAddress(4, there)} encap mpls 1000 via inet ${outerAddress(4, there)} mtu ${TUNNEL_MTU}`,
        `route add ${innerAddress(6, there)} encap mpls 1000 via inet6 ${outerAddress(6, there)} mtu ${TUNNEL_MTU}`,
      ],
      settings: [
        ['mpls/platform_labels', 2000],
        ['mpls/conf/under/input', 1],
      ],
      commands: [{ words: ['ip', '-M', 'route', 'replace', '1000', 'dev', 'lo'] }],
    }),
    inner: [4, 6],
    tunnels: [{ kind: 'mpls', id: 1000 }],
    labels: { remark: ['guessed'] },
    headers: ETHERNET + LABEL,
  },
];

/** Base64 of both halves of a key, as `wg` writes them. */
function keyPair(): { readonly secret: string; readonly open: string } {
  const { privateKey } = generateKeyPairSync('x25519');
  const { d, x } = privateKey.export({ format: 'jwk' });
  const base64 = (text: string): string => Buffer.from(text, 'base64url').toString('base64');
  return { secret: base64(d!), open: base64(x!) };
}

/** Through `cat`: what a process gets as its input may be a socket, which cannot be opened by a name. */
const SETCONF = ['sh', '-c', 'cat | wg setconf tunnel /proc/self/fd/0'];

function wireguard(outer: Version): Device {
  const keys = { 1: keyPair(), 2: keyPair() } as const;
  const configuration = ({ here, there }: End): string => {
    const address = outerAddress(outer, there);
    const lines = [
      '[Interface]',
      `PrivateKey = ${keys[here].secret}`,
      'ListenPort = 51820',
      '[Peer]',
      `PublicKey = ${keys[there].open}`,
      'AllowedIPs = 0.0.0.0/0, ::/0',
      `Endpoint = ${outer === 4 ? address : `[${address}]`}:51820`,
    ];
    return `${lines.join('\n')}\n`;
  };
  return {
    name: `wireguard over IPv${outer}`,
    make: (end) => ({
      lines: ['link add tunnel type wireguard'],
      commands: [{ words: SETCONF, input: configuration(end) }],
    }),
    inner: [4, 6],
    outer,
    tunnels: [],
    // The data header's 16 and the tag's 16; what is inside is filled up to 16.
    headers: ETHERNET + IP[outer] + UDP + 32,
    ownHeaders: 0,
    isEncrypted: true,
  };
}

/** All of them, each a test of its own. */
export const DEVICES: readonly Device[] = [
  ...UDP_TUNNELS,
  ...GRE_TUNNELS,
  ...ERSPAN,
  ...IP_TUNNELS,
  ...ON_ETHERNET,
  wireguard(4),
  wireguard(6),
];
