/** Ethernet frames for test runs and floods. Checksums stay zero: the meter does not read them. */

/** Octets of a frame from its outside in; each function puts a header before a payload. */
type Octets = readonly number[];

const PAYLOAD: Octets = new Array<number>(64).fill(0x55);
const TUNNEL = { source: 1, destination: 2 } as const;
const INNER = { source: 11, destination: 12 } as const;

/** A frame and where its innermost source address (the last four octets of it) and source port are. */
export interface Frame {
  readonly name: string;
  readonly octets: Uint8Array;
  readonly addressAt: number;
  readonly portAt: number;
}

type Version = 4 | 6;

/** TCP with 64 octets of payload, without a tunnel. */
export function plainFrame(version: Version): Frame {
  return frameOf(`IPv${version} TCP`, innerFrame(version));
}

/** The same in VXLAN (RFC 7348), VNI 42. */
export function vxlanFrame(outer: Version, inner: Version): Frame {
  return frameOf(`VXLAN IPv${outer}/IPv${inner}`, inVxlan(outer, innerFrame(inner)));
}

function inVxlan(outer: Version, inner: Octets): Octets {
  const tunnelled = [0x08, 0, 0, 0, 0, 0, 42, 0, ...inner];
  const datagram = [...word(54_321), ...word(4789), ...word(8 + tunnelled.length), 0, 0, ...tunnelled];
  return ethernet(outer, network(outer, 17, TUNNEL, datagram));
}

/** UDP with 64 octets of payload in VXLAN over IPv4; its port is where TCP's would be, payload behind eight octets. */
export function udpFrame(): Frame {
  const datagram = [...word(40_000), ...word(4000), ...word(8 + PAYLOAD.length), 0, 0, ...PAYLOAD];
  const octets = inVxlan(4, ethernet(4, network(4, 17, INNER, datagram)));
  const portAt = octets.length - PAYLOAD.length - 8;
  return { name: 'VXLAN IPv4/IPv4 UDP', octets: Uint8Array.from(octets), addressAt: portAt - 8, portAt };
}

/** Places are counted from the end: TCP header and payload stand there in every frame. */
function frameOf(name: string, octets: Octets): Frame {
  const portAt = octets.length - PAYLOAD.length - 20;
  const isIpv4 = octets[portAt - 20] === 0x45;
  return { name, octets: Uint8Array.from(octets), addressAt: portAt - (isIpv4 ? 8 : 20), portAt };
}

function innerFrame(version: Version): Octets {
  const segment = [
    ...word(40_000),
    ...word(443),
    ...new Array<number>(8).fill(1),
    0x50,
    0x10,
    1,
    0,
    0,
    0,
    0,
    0,
  ];
  return ethernet(version, network(version, 6, INNER, [...segment, ...PAYLOAD]));
}

function ethernet(version: Version, payload: Octets): Octets {
  return [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ...word(version === 4 ? 0x0800 : 0x86dd), ...payload];
}

function network(
  version: Version,
  protocol: number,
  hosts: { readonly source: number; readonly destination: number },
  payload: Octets,
): Octets {
  const { source, destination } = hosts;
  if (version === 4) {
    const start = [0x45, 0, ...word(20 + payload.length), 0, 0, 0x40, 0, 64, protocol, 0, 0];
    return [...start, 192, 0, 2, source, 192, 0, 2, destination, ...payload];
  }
  const prefix = [0x20, 0x01, 0x0d, 0xb8, ...new Array<number>(11).fill(0)];
  const start = [0x60, 0, 0, 0, ...word(payload.length), protocol, 64];
  return [...start, ...prefix, source, ...prefix, destination, ...payload];
}

function word(value: number): Octets {
  return [value >> 8, value & 0xff];
}
