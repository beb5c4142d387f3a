/** For tests: an observation point with some of everything. */
import type { AuditPart, AuditPoint, AuditSpan } from './audit.ts';

/** A part of so many packets. */
export const part = (packets: number, octets: number = 100 * packets): AuditPart => ({
  packets,
  octets,
  packetShare: 0,
  octetShare: 0,
});

/** 12 packets seen, 7 of them in flows and 5 in the ledger; the interface counted as many. */
export function auditSpan(more: Partial<AuditSpan> = {}): AuditSpan {
  const bound = { packets: 12, octets: 1200 };
  return {
    seconds: 3,
    counted: { least: bound, most: bound },
    expected: { least: bound, most: bound },
    seen: { packets: 12, octets: 1200 },
    recorded: part(7),
    overflow: part(2),
    ledger: [
      { reason: 'ipv4_truncated', level: 0, ...part(3) },
      { reason: 'ipv4_truncated', level: 1, ...part(1) },
      { reason: 'arp_truncated', level: 0, ...part(1) },
    ],
    inside: part(0),
    outside: part(-4, -400),
    ...more,
  };
}

/** eth0 ingress; 4 packets fewer were counted than seen. */
export function auditPoint(more: Partial<AuditPoint> = {}): AuditPoint {
  return {
    ifindex: 2,
    interfaceName: 'eth0',
    direction: 'ingress',
    kind: 'veth',
    primary: true,
    present: true,
    unit: 'frames',
    programs: null,
    interval: auditSpan(),
    sinceStart: auditSpan(),
    persistent: { packets: 4, octets: 400 },
    changes: [{ atMs: 1_000, packets: 4, octets: 400 }],
    hint: 'look there',
    ...more,
  };
}
