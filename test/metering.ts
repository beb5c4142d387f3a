/** Metering a namespace while something happens in it, and reading what came of it. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type DecodedRecord, decodeRecord, type FlowBatch, type LedgerLine } from '../src/flow/index.ts';
import { type MeterOptions, MeterThread } from '../src/meter/index.ts';

/** What a metering gave: all epochs, and all their records decoded. */
export interface Metered {
  readonly batches: readonly FlowBatch[];
  readonly records: readonly DecodedRecord[];
  readonly ledger: readonly LedgerLine[];
}

/** Counters of several records together. */
export interface Sum {
  packets: number;
  octets: number;
  wirePackets: number;
  wireOctets: number;
  payloadOctets: number;
}

/**
 * Meters while `action` runs, with a last drain after it. Asserts conservation in every epoch. `action` gets a way to
 * wait until so many more epochs have been drained.
 */
export async function meterDuring(
  options: Partial<MeterOptions> & { readonly namespace: string },
  action: (epochs: (count: number) => Promise<void>) => Promise<unknown>,
): Promise<Metered> {
  const stopping = new AbortController();
  await using meter = await MeterThread.open({
    interfaces: ['eth0'],
    intervalMs: 500,
    flowCapacity: 65_536,
    hook: 'auto',
    ...options,
  });
  const batches: FlowBatch[] = [];
  const drained = new EventEmitter();
  const collecting = (async () => {
    for await (const batch of meter.batches({ signal: stopping.signal })) {
      batches.push(batch);
      drained.emit('epoch');
    }
  })();
  const epochs = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await once(drained, 'epoch', { signal: AbortSignal.timeout(10_000) });
  };
  try {
    await action(epochs);
  } finally {
    stopping.abort();
    await collecting;
  }
  for (const batch of batches) assertConserved(batch);
  return {
    batches,
    records: batches.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, row) => decodeRecord(batch.columns, row)),
    ),
    ledger: batches.flatMap((batch) => batch.ledger),
  };
}

/** At each observation point: seen = records + ledger, in packets and in octets. */
export function assertConserved(batch: FlowBatch): void {
  const balance = new Map<string, { packets: bigint; octets: bigint }>();
  const add = (line: { ifindex: number; direction: number }, packets: bigint, octets: bigint): void => {
    const key = `${line.ifindex}/${line.direction}`;
    const sum = balance.get(key) ?? { packets: 0n, octets: 0n };
    balance.set(key, { packets: sum.packets + packets, octets: sum.octets + octets });
  };
  for (const line of batch.seen) add(line, line.packets, line.octets);
  for (const line of batch.ledger) add(line, -line.packets, -line.octets);
  const { columns } = batch;
  for (let row = 0; row < batch.length; row++) {
    const point = { ifindex: columns.ifindex[row]!, direction: columns.direction[row]! };
    add(point, -columns.packets[row]!, -columns.octets[row]!);
  }
  for (const [point, rest] of balance) {
    assert.deepEqual(
      rest,
      { packets: 0n, octets: 0n },
      `epoch ${batch.epoch}, point ${point}: seen = records + ledger`,
    );
  }
}

/** Sums the records that fit. */
export function sumOf(records: readonly DecodedRecord[], fits: Partial<DecodedRecord>): Sum {
  const sum: Sum = { packets: 0, octets: 0, wirePackets: 0, wireOctets: 0, payloadOctets: 0 };
  const wanted = Object.entries(fits);
  for (const record of records) {
    if (!wanted.every(([name, value]) => record[name as keyof DecodedRecord] === value)) continue;
    for (const name of Object.keys(sum) as (keyof Sum)[]) sum[name] += Number(record[name]);
  }
  return sum;
}
