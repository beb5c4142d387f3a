import { spawn } from 'node:child_process';
import { LabError } from './error.ts';

/** What a finished command left: its exit status (null when a signal ended it) and its output. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end with `input` on its stdin. It gets a process group of its own, so that Ctrl-C in a terminal
 * reaches only us and the command is never cut in half. Rejects only when the command cannot be started at all.
 */
export function run(command: string, args: readonly string[], input = ''): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const child = spawn(command, args, { detached: true, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('error', reject);
  child.on('close', (status) => resolve({ status, stdout, stderr }));
  child.stdin.on('error', () => {}); // EPIPE: the command ended before it read everything; its status says so
  child.stdin.end(input);
  return promise;
}

/**
 * Runs lines of `ip -batch`, in a network namespace when one is named. Throws LabError (`LAB_COMMAND`) with the line
 * that was refused.
 */
export async function ipBatch(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const { status, stderr } = await run('ip', [...where, '-batch', '-'], `${lines.join('\n')}\n`);
  if (status === 0) return;
  const refused = lines[Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? Number.NaN) - 1];
  throw new LabError(
    'LAB_COMMAND',
    `Running "ip ${[...where, refused ?? '-batch'].join(' ')}": it failed with "${stderr.trim().split('\n')[0] ?? ''}"`,
    'Take the lab down (`tunnelscope lab down`) and up again; if it stays, the kernel lacks what this line asks for.',
  );
}

/**
 * Writes values below /proc/sys/net of a namespace, in order. A path that this kernel does not have is left out: what
 * cannot be switched on cannot make noise either.
 */
export async function writeSettings(
  namespace: string,
  settings: readonly (readonly [string, number])[],
): Promise<void> {
  const script = settings.map(([path, value]) => `if [ -e ${path} ]; then echo ${value} > ${path}; fi`);
  const shell = `set -e; cd /proc/sys/net; ${script.join('; ')}`;
  const { status, stderr } = await run('ip', ['netns', 'exec', namespace, 'sh', '-c', shell]);
  if (status === 0) return;
  throw new LabError(
    'LAB_COMMAND',
    `Setting the IP options of namespace ${namespace}: it failed with "${stderr.trim()}"`,
    'Run as root outside a container, or in one that may write /proc/sys/net of its own namespaces.',
  );
}

/** Loads rules of nftables into a namespace. Throws LabError (`LAB_COMMAND`) with what it says. */
export async function loadRules(namespace: string, rules: string): Promise<void> {
  const { status, stderr } = await run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
  if (status === 0) return;
  throw new LabError(
    'LAB_COMMAND',
    `Loading the NAT rules of namespace ${namespace}: nft failed with "${stderr.trim().split('\n')[0] ?? ''}"`,
    'Use a kernel with nftables and NAT (modules nf_tables, nft_chain_nat, nft_masq).',
  );
}
