import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditPoint, auditSpan, part } from '../query/audit.fixture.ts';
import type { Audit, AuditPoint } from '../query/index.ts';
import { formatAudit, isExplained } from './index.ts';

function audit(point: Partial<AuditPoint> = {}, more: Partial<Audit> = {}): Audit {
  const points = [auditPoint(point)];
  const { persistent } = points[0]!;
  return { agent: 'x', epoch: 9, atMs: 1, persistentEpochs: 5, points, persistent, ...more };
}

const EXPLAINED = {
  sinceStart: auditSpan({ outside: part(0) }),
  persistent: { packets: 0, octets: 0 },
  hint: '',
};

test('a wide terminal has both stretches, and the reader sees where every packet is', () => {
  const lines = formatAudit(audit(), 140).split('\n');
  assert.deepEqual(lines.slice(0, 3), [
    'eth0 ingress (veth; counts frames)',
    '                                                          last 3.0 s  │           since the start, 3.0 s',
    '                                     packets       %  octets       %  │  packets       %  octets       %',
  ]);
  for (const row of [
    /interface counted +12 +1 200 +│ +12 +1 200$/,
    /unexplained by the interface +-4 +0\.0000 +-400/,
    /of it without detail +2 /,
    /ledger: ipv4_truncated \(inside 1\) +1 /,
    /^ {2}look there$/,
    /^UNEXPLAINED: 4 packets, 400 octets\.$/,
  ])
    assert.ok(
      lines.some((line) => row.test(line)),
      String(row),
    );
});

/** Numbers of a host that has been up for a while, with bounds apart. */
const LARGE = auditSpan({
  counted: {
    least: { packets: 812_345_678_901, octets: 1_112_345_678_901_234 },
    most: { packets: 812_345_678_999, octets: 1_112_345_678_909_999 },
  },
  expected: {
    least: { packets: 12_345_678_901, octets: 1_112_345_678_901_234 },
    most: { packets: 812_345_678_950, octets: 1_112_345_678_905_000 },
  },
  seen: { packets: 12_345_678_901, octets: 1_112_345_678_901_234 },
});

test('no line is longer than the terminal, and no number is lost for that', () => {
  for (const width of [80, 100, 140, 300]) {
    const text = formatAudit(audit({ interval: LARGE, sinceStart: LARGE }), width);
    for (const line of text.split('\n'))
      assert.ok(line.length <= width, `${line.length} of ${width}: ${line}`);
    for (const number of [
      '812 345 678 901',
      '812 345 678 999',
      '1 112 345 678 901 234',
      '1 112 345 678 909 999',
    ])
      assert.ok(text.includes(number), `${number} at ${width}`);
    assert.match(text, /since the start, 3\.0 s/);
    assert.equal(/last 3\.0 s/.test(text), width >= 300);
  }
  const narrow = formatAudit(audit({ interval: LARGE, sinceStart: LARGE }), 80);
  assert.match(narrow, /^ {2}interface counted, at least +812 345 678 901 /m);
  assert.match(narrow, /^ {2}interface counted, at most +812 345 678 999 /m);
});

test('a file or a pipe gets all of it', () => {
  assert.equal(formatAudit(audit()), formatAudit(audit(), 10_000));
});

test('the last line and the exit code say the same', () => {
  const last = (each: Audit): string => formatAudit(each).trimEnd().split('\n').at(-1)!;
  const explained = audit(EXPLAINED);
  assert.ok(isExplained(explained));
  assert.equal(last(explained), 'All explained at 1 of 1 observation points.');
  assert.ok(!isExplained(audit()));
  const short = audit({ persistent: { packets: 0, octets: 0 } }, { epoch: 3 });
  assert.ok(!isExplained(short));
  assert.equal(
    last(short),
    'UNEXPLAINED after only 3 of 5 epochs: packets may still be under way; look longer.',
  );
  const blind = audit({ ...EXPLAINED, sinceStart: auditSpan({ counted: null, outside: part(0) }) });
  assert.ok(isExplained(blind));
  assert.match(last(blind), /nothing could be compared/);
  assert.equal(formatAudit(audit({}, { points: [] })), 'No interface was metered.\n');
});
