/** Tunnels over UDP whose port does not tell the meter what they are; and FOU by the port of GRE, which does. */
import { type Device, type End, ETHERNET, GRE, IP, outerAddress, UDP } from './device.ts';

/** Of GUE between UDP and what is carried, which they name; FOU has none. */
const GUE = 4;
const FOU_PORT = 5555;
const GUE_PORT = 6080;
const TUN_PORT = 5556;
/** RFC 8086. */
const GRE_PORT = 4754;

/** A device that sends through the ports of `ip fou`; in what is received there, `kind` says what is carried. */
function fou(
  { type, encap, kind }: { readonly type: string; readonly encap: 'fou' | 'gue'; readonly kind: string },
  port: number,
): Pick<Device, 'make' | 'unmake'> {
  const by = `encap ${encap} encap-sport auto encap-dport ${port}`;
  const line = ({ here, there }: End): string =>
    `link add tunnel type ${type} local ${outerAddress(4, here)} remote ${outerAddress(4, there)} ${by}`;
  return {
    make: (end) => ({ familyLines: [`fou add port ${port} ${kind}`], lines: [line(end)] }),
    unmake: [`fou del port ${port}`],
  };
}

/** All of them. */
export const OPAQUE: readonly Device[] = [
  {
    name: 'FOU: gre over UDP, by the port of GRE',
    ...fou({ type: 'gre', encap: 'fou', kind: 'ipproto 47' }, GRE_PORT),
    outer: 4,
    inner: [4, 6],
    tunnels: [{ kind: 'gre', id: 0 }],
    headers: ETHERNET + IP[4] + UDP + GRE,
    ownHeaders: 0,
  },
  {
    name: 'FOU: ipip over UDP',
    ...fou({ type: 'ipip', encap: 'fou', kind: 'ipproto 4' }, FOU_PORT),
    outer: 4,
    inner: [4],
    tunnels: [],
    headers: ETHERNET + IP[4] + UDP,
    ownHeaders: 0,
    plainPort: FOU_PORT,
  },
  {
    name: 'GUE: sit over UDP',
    ...fou({ type: 'sit', encap: 'gue', kind: 'gue' }, GUE_PORT),
    outer: 4,
    inner: [6],
    tunnels: [],
    headers: ETHERNET + IP[4] + UDP + GUE,
    ownHeaders: 0,
    plainPort: GUE_PORT,
  },
  {
    name: 'tun, carried by a program',
    make: ({ here, there }) => ({
      lines: ['tuntap add dev tunnel mode tun'],
      carrier: {
        source: 'test/devices/tun-carrier.c',
        words: ['tunnel', outerAddress(4, here), outerAddress(4, there), `${TUN_PORT}`],
      },
    }),
    outer: 4,
    inner: [4, 6],
    tunnels: [],
    headers: ETHERNET + IP[4] + UDP,
    ownHeaders: 0,
    plainPort: TUN_PORT,
  },
];
