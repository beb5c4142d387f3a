/** TCP as the meter and `read` measure it: of real transfers, and as tshark counts them on captures at the same point. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import type { FlowBatch } from '../src/flow/index.ts';
import { type TcpCount, TcpSums } from '../src/measure/index.ts';
import { CaptureSource } from '../src/replay/index.ts';
import { meterDuring } from './metering.ts';
import { Cable } from './tcp-transfer.ts';
import { type Judgement, judge } from './tcp-tshark.ts';
import { hasTshark } from './tshark.ts';

const workshop = new Workshop();
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-tcp-'));
after(() => {
  workshop[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});
const skip = hasTshark() ? false : 'there is no tshark';

const COMPARED = [
  'retransmissions',
  'fastRetransmissions',
  'spuriousRetransmissions',
  'outOfOrder',
  'gaps',
  'duplicateAcks',
  'zeroWindows',
  'keepAlives',
] as const satisfies readonly (TcpCount & Judgement)[];

/** Both ways of all that was measured. */
function sums(batches: readonly FlowBatch[]): TcpSums {
  const all = new TcpSums();
  for (const { measurements } of batches)
    for (let row = 0; row < measurements!.length; row++)
      if (measurements!.flows.protocol[row] === 6) all.add(measurements!.tcp!, row);
  return all;
}

function pick(of: (name: (typeof COMPARED)[number]) => number): Record<string, number> {
  return Object.fromEntries(COMPARED.map((name) => [name, of(name)]));
}

/**
 * The same segments, timed twice: just before the cable, and when the capture looked at its clock. What is judged by times
 * may be judged otherwise where it is a matter of microseconds.
 */
function assertNear({ counts }: TcpSums, theirs: Readonly<Record<string, number>>): void {
  for (const name of [
    'gaps',
    'duplicateAcks',
    'zeroWindows',
    'keepAlives',
    'spuriousRetransmissions',
  ] as const)
    assert.equal(counts[name], theirs[name], name);
  assert.equal(counts.retransmissions + counts.outOfOrder, theirs.retransmissions! + theirs.outOfOrder!);
  for (const name of ['retransmissions', 'fastRetransmissions', 'outOfOrder'] as const)
    assert.ok(
      Math.abs(counts[name] - theirs[name]!) <= 2,
      `${name}: ${counts[name]}, tshark ${theirs[name]}`,
    );
}

for (const isLossy of [false, true]) {
  const what = isLossy ? 'loses two packets in a hundred' : 'is clean';
  test(`over a cable that ${what} the meter and read count what tshark counts, octet by octet`, {
    skip,
  }, async (t) => {
    using cable = new Cable();
    const octets = 3_000_000;
    const loss = isLossy ? { loss: workshop.object('test/loss.bpf.c') } : {};
    let paths: Awaited<ReturnType<Cable['carry']>> | undefined;
    const { batches } = await meterDuring(
      { namespace: 'tstcp-a', intervalMs: 300, measure: { measurements: ['tcp'] } },
      async () => {
        paths = await cable.carry({ octets, questions: 20, ...loss }, directory);
      },
    );
    const live = sums(batches);
    const truth = judge(paths!.sender);
    const theirs = pick((name) => truth.filter(({ judgements }) => judgements.has(name)).length);
    t.diagnostic(JSON.stringify(theirs));
    assertNear(live, theirs);
    assert.ok(!isLossy || theirs.retransmissions! > 10, 'the cable lost nothing');

    const source = new CaptureSource({
      paths: [paths!.sender],
      windowMs: 200,
      measure: { measurements: ['tcp'] },
    });
    const read: FlowBatch[] = [];
    for await (const batch of source.batches({ signal: new AbortController().signal }))
      read.push(structuredClone(batch));
    const captured = sums(read);
    assert.deepEqual(
      pick((name) => captured.counts[name]),
      theirs,
    );
    const { counts } = captured;
    for (const name of ['octets', 'repeatedOctets', 'segments', 'repeatedSegments', 'lateSegments'] as const)
      assert.equal(live.counts[name], counts[name], name);
    assert.ok(
      Math.abs(live.roundTripMs! / captured.roundTripMs! - 1) < 0.2,
      `${live.roundTripMs} ${captured.roundTripMs}`,
    );
    const bothWays = counts.octets - counts.repeatedOctets;
    // An octet that probes a closed window is not counted as payload; when it was taken, it is not sent again.
    const missing = octets + 2 * 20 - bothWays;
    assert.ok(
      missing >= 0 && missing <= counts.windowProbes,
      `${missing} octets of ${counts.windowProbes} probes`,
    );
  });
}
