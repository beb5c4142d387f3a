/** Two hosts with an Ethernet cable between them, as network namespaces. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** They stand until disposed. Programs that were begun in them end before. */
export interface TwoHosts extends AsyncDisposable {
  readonly here: string;
  readonly far: string;
  /** Begins a program in a host; it ends with the hosts at the latest. */
  begin(host: string, words: readonly string[], options?: { readonly cwd?: string }): ChildProcess;
}

/**
 * 192.168.61.1 (and fe80::…) here, 192.168.61.2 far away; `eth0` each.
 *
 * @param prefix of the names of the namespaces
 * @param options.loss a compiled test/loss.bpf.c: the cable loses some of what comes from far away
 */
export function twoHosts(prefix: string, { loss }: { readonly loss?: string } = {}): TwoHosts {
  const [here, far, cable] = [`${prefix}-here`, `${prefix}-far`, `${prefix}-cable`];
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  const remove = (): void => {
    for (const name of [here, far, cable]) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  };
  // A run that was cut off may have left them.
  remove();
  for (const name of [here, far]) ip('netns', 'add', name);
  if (loss === undefined)
    ip('-n', here, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far);
  else layCable({ here, far, cable, loss });
  for (const [i, name] of [here, far].entries()) {
    ip('-n', name, 'address', 'add', `192.168.61.${i + 1}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up');
  }
  const begun: ChildProcess[] = [];
  return {
    here,
    far,
    begin(host, words, { cwd } = {}) {
      const child = spawn('ip', ['netns', 'exec', host, ...words], {
        stdio: ['ignore', 'pipe', 'inherit'],
        ...(cwd !== undefined && { cwd }),
      });
      begun.push(child);
      return child;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        begun.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill();
          await once(child, 'exit');
        }),
      );
      remove();
    },
  };
}

function layCable(names: {
  readonly here: string;
  readonly far: string;
  readonly cable: string;
  readonly loss: string;
}): void {
  const { here, far, cable, loss } = names;
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  ip('netns', 'add', cable);
  ip('-n', cable, 'link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0');
  for (const [end, host] of [
    ['near', here],
    ['far', far],
  ] as const) {
    ip('-n', cable, 'link', 'add', end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host);
    ip('-n', cable, 'link', 'set', end, 'master', 'bridge', 'up');
  }
  ip('-n', cable, 'link', 'set', 'bridge', 'up');
  const tc = (...words: string[]): string => ip('netns', 'exec', cable, 'tc', ...words);
  tc('qdisc', 'add', 'dev', 'far', 'clsact');
  tc('filter', 'add', 'dev', 'far', 'ingress', 'bpf', 'direct-action', 'object-file', loss, 'section', 'tc');
}
