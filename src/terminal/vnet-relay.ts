/** A relay, as text. */
import type { VirtualRelay } from '../query/index.ts';

const KINDS = ['ipv4', 'ipv6', 'arp', 'other'] as const;

/** A line per direction of each cable, then what became of all packets. */
export function formatRelay({ name, namespace, pid, cables, outcomes }: VirtualRelay): string {
  const width = Math.max(...cables.flatMap(({ from, to }) => [from.length, to.length]));
  const lines = cables.map(({ from, to, counts }) => {
    const parts = KINDS.filter((kind) => counts[kind].packets > 0).map(
      (kind) => `${kind} ${counts[kind].packets} packets, ${counts[kind].octets} octets`,
    );
    return `  ${from.padEnd(width)} → ${to.padEnd(width)}  ${parts.join('; ') || 'nothing yet'}`;
  });
  const ends = outcomes.map((outcome) => `${outcome.name} ${outcome.packets}`).join(', ');
  const where = namespace === '' ? '' : ` in ${namespace}`;
  return [`relay "${name}"${where}, process ${pid}`, ...lines, `  packets: ${ends}`].join('\n');
}
