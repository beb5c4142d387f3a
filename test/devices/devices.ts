/** The devices that tests build: tunnels over IP, what lies on Ethernet, and what the meter cannot see into. */
import { generateKeyPairSync } from 'node:crypto';
import {
  type Device,
  type End,
  ETHERNET,
  GRE,
  IP,
  innerAddress,
  outerAddress,
  TUNNEL_MTU,
  tunnel,
  UDP,
  type Version,
} from './device.ts';
import { OPAQUE } from './opaque.ts';

const TAG = 4;
const LABEL = 4;
/** RFC 2890: each of key, sequence number and (with its reserved half) checksum. */
const GRE_OPTION = 4;
/** RFC 2473: a destination option, padded to 8; Linux sends it unless told not to. */
const ENCAPSULATION_LIMIT = 8;
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

/** RFC 3931: over UDP there are 4 octets of flags; both have a session and Linux's sublayer, 4 each. */
const L2TP = { udp: UDP + 4 + 4 + 4, ip: 4 + 4 } as const;

/** Ethernet in L2TPv3; where it begins is guessed, for the packet does not say. */
function l2tp(over: 'udp' | 'ip', outer: Version, session: number): Device {
  const ports = over === 'udp' ? 'udp_sport 1701 udp_dport 1701' : '';
  const ends = ({ here, there }: End): string =>
    `local ${outerAddress(outer, here)} remote ${outerAddress(outer, there)}`;
  return {
    name: `L2TPv3 over ${over === 'udp' ? 'UDP and ' : ''}IPv${outer}`,
    make: (end) => ({
      familyLines: [
        `l2tp add tunnel tunnel_id 10 peer_tunnel_id 10 encap ${over} ${ends(end)} ${ports}`,
        `l2tp add session name tunnel tunnel_id 10 session_id ${session} peer_session_id ${session}`,
      ],
      lines: [],
    }),
    unmake: [`l2tp del session tunnel_id 10 session_id ${session}`, 'l2tp del tunnel tunnel_id 10'],
    inner: [4, 6],
    outer,
    tunnels: [{ kind: 'l2tpv3', id: session }],
    labels: { remark: ['guessed'] },
    headers: ETHERNET + IP[outer] + L2TP[over] + ETHERNET,
    ownHeaders: ETHERNET,
  };
}

const L2TP_TUNNELS: readonly Device[] = [
  l2tp('udp', 4, 8001),
  l2tp('udp', 6, 8002),
  l2tp('ip', 4, 8003),
  l2tp('ip', 6, 8004),
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
  ...L2TP_TUNNELS,
  ...OPAQUE,
  ...ON_ETHERNET,
  wireguard(4),
  wireguard(6),
];
