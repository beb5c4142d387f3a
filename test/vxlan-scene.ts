/** A tunnel between two hosts in which there is nothing but what a test sends. */
import { execFileSync } from 'node:child_process';
import type { TwoHosts } from './two-hosts.ts';

/** Addresses in the tunnel. */
export const NEAR = '10.42.0.1';
export const FAR = '10.42.0.2';
/** IPv4 and ICMP before what a ping carries. */
const PING_HEADERS = 28;

/** Runs ip(8). */
export function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Joins the hosts by VXLAN 42, so wide as the cable allows. */
export function layTunnel({ here, far }: TwoHosts, mtu: number): void {
  for (const [host, own, other] of [
    [here, 1, 2],
    [far, 2, 1],
  ] as const) {
    ip('-n', host, 'link', 'set', 'eth0', 'mtu', String(mtu));
    const ends = ['local', `192.168.61.${own}`, 'remote', `192.168.61.${other}`];
    ip(
      '-n',
      host,
      'link',
      'add',
      'vx0',
      'type',
      'vxlan',
      'id',
      '42',
      ...ends,
      'dstport',
      '4789',
      'dev',
      'eth0',
    );
    ip('-n', host, 'address', 'add', `10.42.0.${own}/24`, 'dev', 'vx0');
    // Nothing but what the test sends is in it.
    ip('-n', host, 'link', 'set', 'vx0', 'addrgenmode', 'none', 'mtu', String(mtu - 50), 'up');
  }
}

/** Sends one packet through the tunnel and back, as long as an IP packet in it is. */
export function ping(host: string, octets: number): void {
  const size = String(octets - PING_HEADERS);
  ip('netns', 'exec', host, 'ping', '-c', '1', '-W', '5', '-M', 'do', '-s', size, FAR);
}
