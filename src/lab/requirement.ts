import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';
import { LabError } from './error.ts';

/** A program found on the PATH, and the Debian package that brings it. */
const TOOLS = { ip: 'iproute2', ping: 'iputils-ping', unshare: 'util-linux', sh: 'dash' } as const;

/** The same of programs that only some topologies need. */
const MORE_TOOLS = {
  iperf3: 'iperf3',
  dnsmasq: 'dnsmasq-base',
  udhcpc: 'udhcpc',
  nft: 'nftables',
} as const;

/** A program that a topology needs beside those that every lab does. */
export type LabTool = keyof typeof MORE_TOOLS;

/** linux/capability.h */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 } as const;

/** Lines that fail when the kernel has no such link; made in a namespace that lives as long as one `ip`. */
const LINKS: readonly (readonly [string, string])[] = [
  ['veth', 'link add v0 type veth peer name v1'],
  ['bridge', 'link add b0 type bridge'],
  ['vxlan', 'link add x0 type vxlan id 1 dev v0 dstport 4789'],
];

/**
 * Checks everything a lab needs before anything is changed: tools, capabilities, kernel features. Throws one LabError
 * (`LAB_REQUIREMENT`) that names all that is missing and how to get it.
 */
export async function checkRequirements(wanted: {
  readonly ipv6: boolean;
  readonly tools: readonly LabTool[];
}): Promise<void> {
  const needed: Record<string, string> = {
    ...TOOLS,
    ...Object.fromEntries(wanted.tools.map((tool) => [tool, MORE_TOOLS[tool]])),
  };
  const tools = Object.keys(needed).filter((tool) => !onPath(tool));
  const capabilities = missingCapabilities();
  const features = wanted.ipv6 && !existsSync('/proc/net/if_inet6') ? ['IPv6'] : [];
  if (tools.length === 0 && capabilities.length === 0) features.push(...(await missingLinks()));
  const missing = [
    ...tools.map((tool) => `the program ${tool}`),
    ...capabilities.map((name) => `the capability ${name}`),
    ...features.map((name) => `${name} in the kernel`),
  ];
  if (missing.length === 0) return;
  const remedies = [
    ...(tools.length > 0 ? [`apt install ${[...new Set(tools.map((tool) => needed[tool]))].join(' ')}`] : []),
    ...(capabilities.length > 0 ? ['run as root (sudo), in a container with --privileged'] : []),
    ...(features.length > 0 ? ['use a kernel built with these, or load their modules (modprobe)'] : []),
  ];
  throw new LabError(
    'LAB_REQUIREMENT',
    `Checking what the lab needs: missing ${missing.join(', ')}. Nothing was changed.`,
    `${remedies.join('; ')}.`,
  );
}

/** Whether the kernel makes 802.1Q devices, tried in a namespace that is gone at once. */
export async function hasVlanDevices(): Promise<boolean> {
  const lines = 'link add v0 type veth peer name v1\nlink add link v0 name v0.5 type vlan id 5\n';
  const { status } = await run('unshare', ['--net', 'ip', '-batch', '-'], lines).catch(() => ({ status: 1 }));
  return status === 0;
}

function onPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

function missingCapabilities(): string[] {
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  return Object.entries(CAPABILITIES).flatMap(([name, bit]) =>
    (effective >> BigInt(bit)) & 1n ? [] : [name],
  );
}

async function missingLinks(): Promise<string[]> {
  const lines = LINKS.map(([, line]) => line).join('\n');
  const { status, stderr } = await run('unshare', ['--net', 'ip', '-force', '-batch', '-'], `${lines}\n`);
  if (status === 0) return [];
  const failed = [...stderr.matchAll(/Command failed -:(\d+)/g)].map((match) => Number(match[1]) - 1);
  if (failed.length === 0) return ['network namespaces'];
  return LINKS.filter((_, index) => failed.includes(index)).map(([name]) => name);
}
