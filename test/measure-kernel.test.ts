/** What the kernel measures of flows: the real programs, packet by packet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testRun } from '../src/bpf/index.ts';
import { decodeRecord, type MeasurementBatch } from '../src/flow/index.ts';
import { LoadedMeter, type LoadOptions } from '../src/meter/index.ts';
import { packet } from '../src/wire/index.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';

/** Runs frames through the programs in one epoch. */
async function measured(
  meter: LoadedMeter,
  frames: readonly { readonly frame: Uint8Array; readonly egress?: boolean }[],
): Promise<MeasurementBatch> {
  for (const { frame, egress } of frames) testRun(egress ? meter.egress : meter.ingress, { packet: frame });
  const parity = await meter.flip();
  const { measurements } = meter.read(parity, Date.now());
  meter.clear(parity);
  assert.ok(measurements);
  return measurements;
}

function udp(source: string, destination: string, ports: { sport: number; dport: number }): Uint8Array {
  return packet()
    .eth()
    .ipv4({ source, destination })
    .udp({ sourcePort: ports.sport, destinationPort: ports.dport })
    .payload(20)
    .build();
}

function load(measure: LoadOptions['measure'] = {}): LoadedMeter {
  return LoadedMeter.load({ measure: { measurements: ['arrivals'], ...measure } });
}

/** Each record by its way, as text. */
function byFlow({ flows, length }: MeasurementBatch): Map<string, number> {
  const found = new Map<string, number>();
  for (let row = 0; row < length; row++) {
    const { direction, source, sourcePort, destination, destinationPort, icmpTypeCode } = decodeRecord(
      flows,
      row,
    );
    const icmp = icmpTypeCode as { type: number } | null;
    const ports = icmp ? [`type ${icmp.type}`, sourcePort] : [sourcePort, destinationPort];
    found.set(`${direction} ${source} ${destination} ${ports.join(' ')}`, row);
  }
  return found;
}

test('both ways of a biflow are measured, each by itself, and told as its flows', async () => {
  using meter = load();
  const there = udp(A, B, { sport: 1000, dport: 2000 });
  const back = udp(B, A, { sport: 2000, dport: 1000 });
  const batch = await measured(meter, [
    { frame: there },
    { frame: back, egress: true },
    { frame: there },
    { frame: there },
    { frame: back, egress: true },
  ]);
  const flows = byFlow(batch);
  assert.deepEqual([...flows.keys()].toSorted(), [
    'egress 10.0.0.2 10.0.0.1 2000 1000',
    'ingress 10.0.0.1 10.0.0.2 1000 2000',
  ]);
  const forward = flows.get('ingress 10.0.0.1 10.0.0.2 1000 2000')!;
  const backward = flows.get('egress 10.0.0.2 10.0.0.1 2000 1000')!;
  assert.equal(batch.arrivals?.gaps[forward], 2);
  assert.equal(batch.arrivals?.gaps[backward], 1);
  assert.equal(batch.flows.wirePackets[forward], 3n);
  assert.equal(batch.flows.payloadOctets[backward], 40n);
  assert.equal(batch.unmeasuredPackets, 0);
});

test('rows are given back when their flow is over; every packet is measured or counted as not', async () => {
  using meter = load({ capacity: 32, idleMs: { tcp: 1, udp: 1, other: 1 } });
  const flows = 300;
  let [sent, packets, unmeasured] = [0, 0, 0];
  for (let epoch = 0; epoch < 40; epoch++) {
    const frames = Array.from({ length: 30 }, (_, i) => {
      const port = 1000 + ((epoch * 17 + i * i) % flows);
      const isBack = i % 3 === 0;
      const frame = isBack ? udp(B, A, { sport: 9, dport: port }) : udp(A, B, { sport: port, dport: 9 });
      return { frame, egress: isBack };
    });
    const batch = await measured(meter, frames);
    sent += frames.length;
    packets += Number(batch.flows.wirePackets.reduce((sum, count) => sum + count, 0n));
    unmeasured += batch.unmeasuredPackets;
  }
  assert.equal(packets + unmeasured, sent);
  // 32 rows and twice as many flows between giving rows back: most are measured, over and over.
  assert.ok(packets > sent / 3, `${packets} of ${sent} measured`);
  assert.ok(unmeasured > 0, 'the rows never ran out');
});

test('after its idle time a flow begins anew in the same epoch, and both are told', async () => {
  using meter = load({ idleMs: { tcp: 1, udp: 500, other: 1 } });
  const frame = udp(A, B, { sport: 1, dport: 2 });
  testRun(meter.ingress, { packet: frame, repeat: 2 });
  const end = process.hrtime.bigint() + 510_000_000n;
  while (process.hrtime.bigint() < end);
  const batch = await measured(meter, [{ frame }, { frame }, { frame }]);
  assert.equal(batch.length, 2);
  assert.deepEqual([...batch.flows.wirePackets].toSorted(), [2n, 3n]);
});
