/**
 * What interfaces count, by kind of device, and what the hook must then have seen.
 *
 * Measured on Linux 5.10 to 7.x (docs/audit.md). All count frames as the device gets them: a super-packet is one where the
 * device takes it whole, and its segments where the stack cuts it between hook and device, or joins it (GRO) between
 * device and hook. Which of the two holds can differ from flow to flow, so that both are bounds.
 */

/** Sums of what a hook saw: frames as the stack held them, and packets on the wire. */
export interface Sums {
  readonly packets: bigint;
  readonly octets: bigint;
  readonly wirePackets: bigint;
  readonly wireOctets: bigint;
}

/** At least and at most. */
export interface Bounds {
  readonly least: bigint;
  readonly most: bigint;
}

const ETHERNET_HEADER = 14n;
const FRAME_CHECK_SEQUENCE = 4n;
const VLAN_TAG = 4n;
/** Of L2TPv3 over UDP, with the longest cookie. */
const L2TP_HEADER = 20n;
/** WireGuard's data header and tag; what is inside is filled up to 16. */
const WIREGUARD = { least: 32n, most: 32n + 15n } as const;

/** Octets per frame by which a counter may differ from the frame as it stands at the hook. */
interface CounterUnit {
  readonly words: string;
  readonly least: bigint;
  readonly most: bigint;
  /** It counts what never passes the hook too: that it counted more says nothing. */
  readonly hasMore?: true;
}

const WHOLE: CounterUnit = { words: 'frames with their Ethernet header', least: 0n, most: 0n };
const HEADERLESS: CounterUnit = {
  words: 'frames without their Ethernet header',
  least: -ETHERNET_HEADER,
  most: -ETHERNET_HEADER,
};
/** Without it where the receiving end joins frames (GRO) that the sending end does not cut itself. */
const VETH: CounterUnit = {
  words: 'frames with their Ethernet header, without it where the receiver joins them (GRO)',
  least: -ETHERNET_HEADER,
  most: 0n,
};
const HARDWARE: CounterUnit = {
  words: 'frames with their Ethernet header, with or without the frame check sequence',
  least: 0n,
  most: FRAME_CHECK_SEQUENCE,
};
const BARE: CounterUnit = { words: 'packets from their IP header on', least: 0n, most: 0n };
/** Of tap devices too. */
const TUN: CounterUnit = {
  words: 'packets as the program behind it reads and writes them',
  least: 0n,
  most: VLAN_TAG,
};
const MESSAGES: CounterUnit = {
  ...WIREGUARD,
  words: 'encrypted messages, those of handshakes and keepalives too: only fewer are told',
  hasMore: true,
};
const UNKNOWN_RECEIVED: CounterUnit = {
  words: 'frames; whether with their Ethernet header, or a tunnel’s before it, is not known of this device',
  least: -ETHERNET_HEADER,
  most: L2TP_HEADER,
};
const UNKNOWN_SENT: CounterUnit = {
  words: 'frames; whether with their Ethernet header is not known of this device',
  least: -ETHERNET_HEADER,
  most: FRAME_CHECK_SEQUENCE,
};

/** By kind: of what is received, of what is sent. */
const UNITS: Readonly<Record<string, readonly [ingress: CounterUnit, egress: CounterUnit]>> = {
  veth: [VETH, VETH],
  bridge: [HEADERLESS, WHOLE],
  vxlan: [HEADERLESS, HEADERLESS],
  geneve: [HEADERLESS, HEADERLESS],
  gretap: [WHOLE, HEADERLESS],
  erspan: [WHOLE, HEADERLESS],
  ip6gretap: [HEADERLESS, HEADERLESS],
  ip6erspan: [HEADERLESS, HEADERLESS],
  gre: [BARE, BARE],
  ip6gre: [BARE, BARE],
  ipip: [BARE, BARE],
  sit: [BARE, BARE],
  ip6tnl: [BARE, BARE],
  wireguard: [MESSAGES, MESSAGES],
  tun: [TUN, TUN],
  vlan: [HEADERLESS, WHOLE],
  macvlan: [WHOLE, WHOLE],
  loopback: [HEADERLESS, HEADERLESS],
  hardware: [HARDWARE, HARDWARE],
};

/** What an interface of that kind counts. */
export function counterUnit(kind: string, direction: 0 | 1): CounterUnit {
  return UNITS[kind]?.[direction] ?? (direction === 0 ? UNKNOWN_RECEIVED : UNKNOWN_SENT);
}

/** What an interface must have counted if it counted all that the hook saw. */
export function expectedOf(seen: Sums, { least, most }: CounterUnit): { packets: Bounds; octets: Bounds } {
  return {
    packets: ordered(seen.packets, seen.wirePackets),
    octets: {
      least: ordered(seen.octets + least * seen.packets, seen.wireOctets + least * seen.wirePackets).least,
      most: ordered(seen.octets + most * seen.packets, seen.wireOctets + most * seen.wirePackets).most,
    },
  };
}

function ordered(a: bigint, b: bigint): Bounds {
  return a < b ? { least: a, most: b } : { least: b, most: a };
}

/** The longest frame there is without BIG TCP: what a dropped one may have had at most. */
const LONGEST_FRAME = 65_535n + ETHERNET_HEADER;

/**
 * How far what was counted lies from what was expected: positive when more was counted, negative when less, 0 when the
 * bounds meet.
 */
export function distance(counted: Bounds, expected: Bounds): bigint {
  if (counted.least > expected.most) return counted.least - expected.most;
  if (counted.most < expected.least) return counted.most - expected.least;
  return 0n;
}

/** Frames between hook and counter at egress: dropped or still waiting at the end, or waiting already at the beginning. */
export interface Between {
  readonly lost: bigint;
  readonly early: bigint;
}

/** The same when frames stand between hook and counter; how long those are is not known. */
export function distanceOf(
  counted: { readonly packets: Bounds; readonly octets: Bounds },
  expected: { readonly packets: Bounds; readonly octets: Bounds },
  { lost, early }: Between,
): { packets: bigint; octets: bigint } {
  const widened = ({ least, most }: Bounds, octets: bigint): Bounds => ({
    least: least - early * octets,
    most: most + lost * octets,
  });
  return {
    packets: distance(widened(counted.packets, 1n), expected.packets),
    octets: distance(widened(counted.octets, LONGEST_FRAME), expected.octets),
  };
}
