/** Interfaces of this network namespace, by way of `ip`. */
import { execFileSync } from 'node:child_process';
import { VnetError } from '../error.ts';

/** An interface, as far as a bridge cares. */
export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly mtu: number;
  /** `veth`, `bridge`, `vxlan`, …; empty for hardware. */
  readonly kind: string;
  readonly alias: string;
  /** The bridge (or other device) that it is a port of. */
  readonly master: string | undefined;
  /** Its other end is in another network namespace. */
  readonly hasFarEnd: boolean;
  /** The kind's own attributes, as `ip -d -j` names them. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Runs a command of iproute2. @returns what it printed @throws VnetError `VNET_COMMAND` */
export function run(command: 'ip' | 'bridge', ...words: readonly string[]): string {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    const { stderr, message } = cause as Error & { readonly stderr?: string };
    const said = stderr?.trim() || message;
    throw new VnetError('VNET_COMMAND', `"${command} ${words.join(' ')}" failed: ${said}`, { cause });
  }
}

/** As {@link run}; undefined where it failed. */
export function attempt(command: 'ip' | 'bridge', ...words: readonly string[]): string | undefined {
  try {
    return run(command, ...words);
  } catch (error) {
    if (error instanceof VnetError) return undefined;
    throw error;
  }
}

/** Every interface there is, by name. */
export function readLinks(): ReadonlyMap<string, Link> {
  interface Row {
    readonly ifindex: number;
    readonly ifname: string;
    readonly mtu: number;
    readonly ifalias?: string;
    readonly master?: string;
    readonly link_netnsid?: number;
    readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Record<string, unknown> };
  }
  const rows = JSON.parse(run('ip', '-d', '-j', 'link', 'show')) as readonly Row[];
  return new Map(
    rows.map((row) => [
      row.ifname,
      {
        ifindex: row.ifindex,
        name: row.ifname,
        mtu: row.mtu,
        kind: row.linkinfo?.info_kind ?? '',
        alias: row.ifalias ?? '',
        master: row.master,
        hasFarEnd: row.link_netnsid !== undefined,
        attributes: row.linkinfo?.info_data ?? {},
      },
    ]),
  );
}

/** Addresses of an interface, in the order that the kernel has them. */
export function readAddresses(device: string): readonly { readonly text: string; readonly joins: boolean }[] {
  interface Row {
    readonly addr_info: readonly {
      readonly local?: string;
      readonly scope?: string;
      readonly autojoin?: boolean;
    }[];
  }
  const rows = JSON.parse(run('ip', '-j', 'addr', 'show', 'dev', device)) as readonly Row[];
  return rows.flatMap(({ addr_info }) =>
    (addr_info ?? []).flatMap(({ local, scope, autojoin }) =>
      local === undefined || scope === 'link' ? [] : [{ text: local, joins: autojoin === true }],
    ),
  );
}

/** How interfaces that an instance made are known again, also by the next process. */
export function aliasOf(instance: string): string {
  return `tunnelscope ${instance}`;
}
