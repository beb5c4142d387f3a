/** What a running instance says of itself, as text. */
import { bitRateQuantity, formatQuantity, octetQuantity, packetRateQuantity } from '../flow/index.ts';
import type { Status } from '../query/index.ts';

/** As much of an instance's status as is printed. */
export interface InstanceFacts {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly versions: { readonly tunnelscope: string; readonly node: string; readonly kernel: string };
  readonly memory: { readonly resident: number };
  readonly cpuSeconds: number;
  readonly configuration: string | null;
  readonly rules: readonly string[];
  readonly log: { readonly kind: string; readonly file: string | null };
  readonly dataLog: string | null;
  readonly url: string | null;
  readonly agent: Status | null;
  readonly audit: {
    readonly points: number;
    readonly persistent: { readonly packets: number; readonly octets: number };
  } | null;
  readonly rates: readonly {
    readonly interfaceName: string;
    readonly direction: string;
    readonly packetRate: number;
    readonly octetRate: number;
  }[];
}

/** A line on how it is, and one per fact; the rate is that of the newest epoch. */
export function formatInstance(status: InstanceFacts): string {
  const { name, pid, state, startedMs, nowMs, versions, agent } = status;
  const since = new Date(startedMs).toISOString().slice(0, 19).replace('T', ' ');
  const head = `"${name}" is ${state} (process ${pid}) since ${since}Z, ${formatUptime(nowMs - startedMs)}`;
  const facts: (readonly [string, string])[] = [
    ['configuration', status.configuration ?? 'flags only'],
    ['page', status.url ?? 'none'],
    ['log', status.log.file ?? status.log.kind],
    ...(status.dataLog === null ? [] : [['values', status.dataLog] as const]),
    ...(agent?.namespace ? [['namespace', agent.namespace] as const] : []),
    ...(agent?.interfaces ?? []).map(
      (each) =>
        ['interface', `${each.name} (${each.reason}; ${each.hook})${ratesOf(each.name, status)}`] as const,
    ),
    ...(agent
      ? [
          [
            'flows',
            `${agent.records} in the newest epoch, at most ${agent.flowCapacity}; ${agent.flows} in view`,
          ] as const,
        ]
      : []),
    ...historyOf(status),
    ...status.rules.map((rule) => ['rule', rule] as const),
    ['audit', auditOf(status)],
    ['memory', `${formatQuantity(octetQuantity(status.memory.resident))} resident`],
    ['processor', `${status.cpuSeconds.toFixed(1)} s`],
    ['versions', `tunnelscope ${versions.tunnelscope}, Node ${versions.node}, Linux ${versions.kernel}`],
  ];
  const width = Math.max(...facts.map(([word]) => word.length));
  return `${[head, ...facts.map(([word, text]) => `  ${word.padEnd(width)}  ${text}`)].join('\n')}\n`;
}

function historyOf({ agent, nowMs }: InstanceFacts): (readonly [string, string])[] {
  if (!agent?.history) return [];
  const { directory, storedUpToMs, spoolOctets, dropped, failing } = agent.history;
  const stored =
    storedUpToMs === null ? 'nothing stored yet' : `stored up to ${formatUptime(nowMs - storedUpToMs)} ago`;
  const waiting = `${formatQuantity(octetQuantity(spoolOctets))} wait`;
  return [
    ['history', `${directory}: ${stored}, ${waiting}`],
    ...(dropped.epochs === 0
      ? []
      : [['', `DROPPED since the start: ${dropped.epochs} epochs of ${dropped.packets} packets`] as const]),
    ...(failing
      ? [['', `FAILING for ${formatUptime(nowMs - failing.sinceMs)}: ${failing.message}`] as const]
      : []),
  ];
}

function ratesOf(name: string, { rates }: InstanceFacts): string {
  return rates
    .filter(({ interfaceName }) => interfaceName === name)
    .map(({ direction, octetRate, packetRate }) => {
      const bits = formatQuantity(bitRateQuantity(octetRate));
      return `, ${direction === 'ingress' ? 'in' : 'out'} ${bits} ${formatQuantity(packetRateQuantity(packetRate))}`;
    })
    .join('');
}

function auditOf({ audit }: InstanceFacts): string {
  if (!audit) return 'no epoch yet';
  const { packets, octets } = audit.persistent;
  const points = `${audit.points} observation points`;
  return packets === 0 && octets === 0
    ? `all explained at ${points}`
    : `UNEXPLAINED at ${points}: ${packets} packets, ${octets} octets; "tunnelscope audit --agent" says where`;
}

/** `3 d 4 h`, `5 min 2 s`: the two largest units that are not nothing. */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const from = parts.findIndex(([count]) => count > 0);
  return from < 0
    ? '0 s'
    : parts
        .slice(from, from + 2)
        .map(([count, unit]) => `${count} ${unit}`)
        .join(' ');
}
