/** The jitter of RTP as tshark says it. */
import { execFileSync } from 'node:child_process';

/** Of the only stream to a port in a capture: the mean and the largest value of RFC 3550's jitter, milliseconds. */
export function tsharkJitter(path: string, port: number, source: number): { mean: number; most: number } {
  const words = ['-r', path, '-d', `udp.port==${port},rtp`, '-q', '-z', 'rtp,streams'];
  const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const name = `0x${source.toString(16).padStart(8, '0')}`;
  const line = text.split('\n').find((each) => each.toLowerCase().includes(name));
  if (line === undefined) throw new Error(`tshark sees no RTP of ${name}: ${text}`);
  // At its end an X says that numbers are missing or late.
  const columns = line.replace(/X\s*$/, '').trim().split(/\s+/);
  return { mean: Number(columns.at(-2)), most: Number(columns.at(-1)) };
}
