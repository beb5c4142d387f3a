import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSpan, part } from '../query/audit.fixture.ts';
import type { PastAudit, PastAuditPoint } from '../query/index.ts';
import { formatPastAudit, isPastExplained } from './index.ts';

const AT_MS = Date.parse('2026-11-21T10:00:00Z');
const MINUTE = 60_000;
const NONE = { packets: 0, octets: 0 };

function point(more: Partial<PastAuditPoint> = {}): PastAuditPoint {
  return {
    interfaceName: 'eth0',
    direction: 'ingress',
    kind: 'veth',
    primary: true,
    unit: 'frames',
    programs: { before: [], after: [] },
    span: auditSpan({ outside: part(0) }),
    comparedSeconds: 3540,
    steps: [],
    unexplained: NONE,
    hint: '',
    ...more,
  };
}

function audit(points: readonly PastAuditPoint[], more: Partial<PastAudit> = {}): PastAudit {
  const sum = (name: 'packets' | 'octets'): number =>
    points.reduce((all, { unexplained }) => all + unexplained[name], 0);
  return {
    covered: { fromMs: AT_MS, toMs: AT_MS + 60 * MINUTE, level: 'minute' },
    gaps: [],
    stepMs: MINUTE,
    points: [...points],
    isCut: false,
    unexplained: { packets: sum('packets'), octets: sum('octets') },
    tookMs: 1,
    ...more,
  };
}

const lost = point({
  steps: Array.from({ length: 12 }, (_, nth) => ({
    fromMs: AT_MS + nth * MINUTE,
    packets: 7,
    octets: 700,
  })),
  unexplained: { packets: 84, octets: 8400 },
  hint: 'look there',
});

test('of a past time all points are told, the newest steps in which something is unexplained, and what it stands on', () => {
  const gaps = [{ fromMs: AT_MS + MINUTE, toMs: AT_MS + 2 * MINUTE }];
  const lines = formatPastAudit(audit([lost], { gaps }), { timeZone: 'Europe/Berlin' }).split('\n');
  assert.equal(lines[0], 'eth0 ingress (veth; counts frames)');
  assert.match(lines[1]!, / compared over 59 min$/);
  for (const line of [
    '  unexplained by the interface in steps of 60 s:',
    '    2 earlier ones',
    '    2026-11-21 11:02:00  7 packets, 700 octets',
    '  look there',
    '2026-11-21 11:00:00 to 12:00:00 (Europe/Berlin), from sums by the minute',
    'nobody metered: 2026-11-21 11:01:00 to 11:02:00',
  ])
    assert.ok(lines.includes(line), `${line}:\n${lines.join('\n')}`);
  assert.ok(!lines.some((line) => line.includes('11:01:00  7 packets')));
  assert.equal(lines.at(-2), 'UNEXPLAINED: 84 packets, 8 400 octets.');
});

test('the last line and the exit code say the same', () => {
  const last = (each: PastAudit): string =>
    formatPastAudit(each, { timeZone: 'UTC' }).trimEnd().split('\n').at(-1)!;
  const unknown = point({ span: auditSpan({ counted: null, outside: part(0) }), comparedSeconds: 0 });
  assert.equal(last(audit([point(), unknown])), 'All explained at 1 of 2 observation points.');
  assert.match(last(audit([unknown])), /nothing could be compared/);
  assert.equal(last(audit([])), 'Nothing is kept of this time.');
  for (const each of [audit([point()]), audit([unknown]), audit([])]) assert.ok(isPastExplained(each));
  assert.ok(!isPastExplained(audit([lost])));
});

test('no line is longer than the terminal', () => {
  const text = formatPastAudit(audit([lost, point()], { isCut: true }), { timeZone: 'UTC', width: 80 });
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(text, /only the 2 points that matter most/);
});
