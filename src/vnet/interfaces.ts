/** Interfaces by name, in the network namespace of the main thread. */
import { execFileSync } from 'node:child_process';
import { VnetError } from './error.ts';

/** Name → number of every interface. A child is born into the namespace of this thread, which /sys does not follow. @throws VnetError */
export function interfaceNumbers(): ReadonlyMap<string, number> {
  let text: string;
  try {
    text = execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' });
  } catch (cause) {
    throw new VnetError(
      'VNET_COMMAND',
      `listing the interfaces by "ip link show" failed (${(cause as Error).message}); install iproute2`,
      { cause },
    );
  }
  const links = JSON.parse(text) as { readonly ifindex: number; readonly ifname: string }[];
  return new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]));
}
