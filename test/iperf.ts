/** iperf3 between the ends of the link, and what it says of itself. */
import { execFileSync, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { RECEIVER, SENDER } from './far-side-link.ts';
import { until } from './until.ts';

/** Its usual port, of TCP and UDP. */
export const IPERF_PORT = 5201;

/** What its server says of what it received, as it names it. */
export interface IperfSum {
  readonly packets: number;
  readonly lost_packets: number;
  readonly jitter_ms: number;
}

/** Datagrams that came but found the receiver's sockets full, since it began. */
function overflowed(): number {
  const words = ['netns', 'exec', RECEIVER, 'nstat', '-asz', 'UdpRcvbufErrors', 'Udp6RcvbufErrors'];
  const lines = execFileSync('ip', words, { encoding: 'utf8' }).split('\n');
  return lines.reduce((sum, line) => sum + Number(/^Udp\S+\s+(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** Why what needs iperf3 is to be skipped; false where it is installed. */
export function lacksIperf3(): string | false {
  try {
    execFileSync('iperf3', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'iperf3 is not installed';
  }
}

/**
 * Sends so many datagrams of so many octets to an address of the receiver.
 *
 * @returns its server's account, without what the server lost itself because it read too slowly
 */
export async function iperf(
  address: string,
  { packets, octets }: { readonly packets: number; readonly octets: number },
): Promise<IperfSum> {
  const inReceiver = ['netns', 'exec', RECEIVER];
  const server = spawn('ip', [...inReceiver, 'iperf3', '-s', '-1', '-J', '-B', address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const said = text(server.stdout);
    const listening = ['ss', '-Hltn', 'sport', '=', String(IPERF_PORT)];
    await until(
      () => execFileSync('ip', [...inReceiver, ...listening], { encoding: 'utf8' }) !== '',
      'iperf3 listens',
    );
    const before = overflowed();
    const client = ['iperf3', '-c', address, '-u', '-b', '4M', '-l', String(octets), '-k', String(packets)];
    execFileSync('ip', ['netns', 'exec', SENDER, ...client], { stdio: 'ignore', timeout: 60_000 });
    const { sum } = (JSON.parse(await said) as { end: { sum: IperfSum } }).end;
    return { ...sum, lost_packets: sum.lost_packets - (overflowed() - before) };
  } finally {
    server.kill();
  }
}
