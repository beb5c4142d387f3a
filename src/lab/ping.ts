/** A few pings whose outcome is looked at. */
import { run } from './command.ts';

/** What `ping -q` says at its end. */
export interface PingOutcome {
  readonly sent: number;
  readonly answered: number;
  /** Its own line, for people. */
  readonly line: string;
}

/** Pings an address from a namespace, fast and quietly; never throws because of what it finds. */
export async function pingFrom(
  namespace: string,
  address: string,
  { count, from }: { readonly count: number; readonly from?: string },
): Promise<PingOutcome> {
  const words = ['ping', '-n', '-q', '-c', String(count), '-i', '0.2', '-W', '2'];
  const source = from === undefined ? [] : ['-I', from];
  const { stdout, stderr } = await run('ip', ['netns', 'exec', namespace, ...words, ...source, address]);
  const found = /^(\d+) packets transmitted, (\d+) received.*$/m.exec(stdout);
  return {
    sent: Number(found?.[1] ?? 0),
    answered: Number(found?.[2] ?? 0),
    line: found?.[0] ?? stderr.trim(),
  };
}
