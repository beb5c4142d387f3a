import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { batchOf, type EpochWords, ETH0 } from '../flow/batch.fixture.ts';
import { copyBatch, decodeRecord, FIELDS, type FlowBatch } from '../flow/index.ts';
import { withMeasurements } from '../flow/measurement.fixture.ts';
import { tunnelMeasures } from '../measure/index.ts';
import { DROPPED, Journal, type JournalError, type JournalOptions } from './index.ts';
import { encodeEpoch } from './record.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'ts-journal-'));
const OPTIONS: JournalOptions = { maxOctets: 100_000_000, intervalMs: 10_000 };
let number = 0;
let directory = '';

beforeEach(async () => {
  directory = join(ROOT, String(number++));
});
after(() => rmSync(ROOT, { recursive: true }));

function epoch(words: EpochWords & { readonly flows?: number } = {}): FlowBatch {
  const { flows = 3, ...around } = words;
  const records = Array.from({ length: flows }, (_, i) => ({
    between: [`10.0.0.${i % 200}`, '10.0.1.1'] as const,
    ports: [1000 + i, 53] as const,
    octets: 100n * BigInt(i + 1),
    packets: i + 1,
    macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const,
  }));
  const ledger = [
    { ifindex: 2, direction: 1, reason: 'ipv4_truncated', level: 1, packets: 2n, octets: 2n ** 53n },
    {
      ifindex: 2,
      direction: 0,
      reason: 'excluded',
      level: 0,
      packets: 7n,
      octets: 700n,
      wire: { packets: 9n, octets: 900n },
    },
  ] as const;
  const values = (packets: bigint) => ({ packets, octets: 2n ** 20n * packets, dropped: 3n, waiting: 4n });
  const reading = (packets: bigint) => ({ before: values(packets), after: values(packets + 1n) });
  const counters = [
    {
      ifindex: 2,
      direction: 0,
      kind: 'veth',
      begin: reading(5n),
      end: reading(9n),
      programs: { before: ['thief'], after: [] },
    },
    {
      ifindex: 2,
      direction: 1,
      kind: '',
      begin: reading(2n ** 40n),
      end: undefined,
      programs: undefined,
    },
  ] as const;
  return batchOf(records, {
    ledger,
    counters,
    startMs: 1_000_000 + 1000 * (around.epoch ?? 1),
    ...around,
  });
}

/** All that is said of an epoch but for what is not kept. */
function said(batch: FlowBatch): unknown {
  const { columns, measurements, sockets, ...rest } = batch;
  return { ...rest, records: Array.from({ length: batch.length }, (_, row) => decodeRecord(columns, row)) };
}

/** Everything in it, in order; it stays there. */
async function contentOf(journal: Journal): Promise<FlowBatch[]> {
  journal.completeOpen();
  const epochs: FlowBatch[] = [];
  for (let file = journal.oldest; file; file = journal.oldest) {
    // Their columns are in the file, which goes.
    for (const each of await journal.read(file)) epochs.push(copyBatch(each));
    await journal.giveBack(file, true);
  }
  return epochs;
}

const filesIn = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.epochs'));

/** As a process that is killed: nothing is closed in order. The lock must be let go of all the same. */
function copyOf(path: string): string {
  const copy = join(ROOT, String(number++));
  mkdirSync(copy);
  for (const name of readdirSync(path))
    if (name !== 'lock') writeFileSync(join(copy, name), readFileSync(join(path, name)));
  return copy;
}

test('what was appended is read as it was, by the next process too', async () => {
  using journal = Journal.open(directory, OPTIONS);
  const epochs = [epoch({ flows: 0 }), epoch({ epoch: 2, flows: 1 }), epoch({ epoch: 3, flows: 1000 })];
  for (const each of epochs) await journal.append(each);
  using next = Journal.open(copyOf(directory), OPTIONS);
  assert.equal(next.id, journal.id);
  assert.equal(next.known.get('agent'), 3);
  assert.deepEqual((await contentOf(next)).map(said), epochs.map(said));
});

/** An epoch with what was measured in tunnels, at points whose links are known. */
function measuredEpoch(): FlowBatch {
  const tunnel = ['2001:db8::1', '2001:db8::2', 5001] as const;
  const points = ETH0.map((each) => ({ ...each, link: { mtu: 1500, header: 14 } }));
  const records = [
    { tunnel, protocol: 17, octets: 100, packets: 1 },
    { tunnel, protocol: 6, octets: 100, packets: 1 },
    { tunnel, protocol: 6, octets: 100, packets: 1, direction: 1 as const },
    { protocol: 17, octets: 100, packets: 1 },
  ];
  return withMeasurements(batchOf(records, { points, startMs: 1_000_000 }), [
    { sequence: { expected: 10, unique: 8, duplicates: 1, reordered: 2, jitterSamples: 3, jitterSumNs: 9 } },
    { tcp: { segments: 5, retransmissions: 2, repeatedOutOfOrder: 1, roundTrips: 4, roundTripSumNs: 4e9 } },
    { tcp: { segments: 5, roundTrips: 1, roundTripSumNs: 2 ** 52 }, place: 63 },
    { sequence: { expected: 1000 } },
  ]);
}

test('of what was measured the sums of tunnels are kept, of points their links', async () => {
  using journal = Journal.open(directory, OPTIONS);
  const batch = measuredEpoch();
  await journal.append(batch);
  const [read] = await contentOf(journal);
  assert.equal(read!.measurements, undefined);
  assert.deepEqual(read!.points, batch.points);
  assert.deepEqual(read!.tunnels, tunnelMeasures(batch));
  const { tunnels, ...flags } = read!.tunnels!;
  assert.deepEqual(flags, { sequence: true, tcp: true });
  assert.deepEqual(
    tunnels.map(({ direction, sums }) => [direction, ...sums.subarray(0, 10)]),
    [
      [0, 10, 8, 1, 2, 3, 9, 5, 3, 4, 4e9],
      [1, 0, 0, 0, 0, 0, 0, 5, 0, 1, 2 ** 52],
    ],
  );
  // What is read is appended again as it is: by who moves a journal.
  using other = Journal.open(join(ROOT, String(number++)), OPTIONS);
  await other.append(read!);
  assert.deepEqual((await contentOf(other))[0]!.tunnels, read!.tunnels);
});

/** A file with one record, whose head somebody has changed and whose check they have made right again. */
function forge(bytes: Buffer, change: (head: Record<string, unknown>) => void): Buffer {
  const [headOctets, columnOctets] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
  const head = JSON.parse(bytes.subarray(16, 16 + headOctets).toString());
  change(head);
  const text = JSON.stringify(head);
  const behind = [
    Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)),
    bytes.subarray(16 + headOctets, 16 + headOctets + columnOctets),
  ];
  const prefix = Buffer.from(bytes.subarray(0, 16));
  prefix.writeUInt32LE(behind[0]!.byteLength, 8);
  prefix.writeUInt32LE(crc32(Buffer.concat([prefix.subarray(8), ...behind])), 4);
  return Buffer.concat([prefix, ...behind]);
}

test('a head that an earlier program wrote is an epoch, one that says nonsense of tunnels is none', async () => {
  const bytes = await (async () => {
    using journal = Journal.open(directory, OPTIONS);
    await journal.append(measuredEpoch());
    return readFileSync(join(directory, filesIn()[0]!));
  })();
  const read = async (change: (head: Record<string, unknown>) => void): Promise<FlowBatch[]> => {
    const place = join(ROOT, String(number++));
    mkdirSync(place);
    writeFileSync(join(place, '0000000000000001.epochs'), forge(bytes, change));
    using journal = Journal.open(place, OPTIONS);
    return contentOf(journal);
  };
  assert.deepEqual((await read(() => undefined))[0]!.tunnels, tunnelMeasures(measuredEpoch()));
  const [earlier] = await read((head) => delete head.tunnels);
  assert.equal(earlier!.tunnels, undefined);
  assert.equal(earlier!.length, 4);
  type Tunnel = Record<string, unknown>;
  const first = (change: (tunnel: Tunnel) => void) => (head: Record<string, unknown>) =>
    change((head.tunnels as { tunnels: Tunnel[] }).tunnels[0]!);
  for (const wrong of [
    first((tunnel) => Object.assign(tunnel, { sums: [1, 2, 3] })),
    first((tunnel) => Object.assign(tunnel, { sums: new Array(10).fill(-1) })),
    first((tunnel) => Object.assign(tunnel, { sums: new Array(10).fill(0.5) })),
    first((tunnel) => Object.assign(tunnel, { sums: new Array(10).fill(1e300) })),
    first((tunnel) => Object.assign(tunnel, { roundTrips: [[64, 1]] })),
    first((tunnel) => Object.assign(tunnel, { roundTrips: new Array(65).fill([0, 1]) })),
    first((tunnel) => Object.assign(tunnel, { outer: ['00', 'zz'] })),
    first((tunnel) => Object.assign(tunnel, { tunnel: [256, 1, 1] })),
    first((tunnel) => Object.assign(tunnel, { direction: 2 })),
    first((tunnel) => Object.assign(tunnel, { ifindex: 2 ** 32 })),
    (head: Record<string, unknown>) => Object.assign(head, { tunnels: [] }),
    (head: Record<string, unknown>) =>
      Object.assign((head.points as Tunnel[])[0]!, { link: { mtu: -1, header: 14 } }),
  ])
    assert.deepEqual(await read(wrong), []);
});

test('an epoch of a program that did not keep what interfaces counted is read without it', async () => {
  const batch = epoch();
  mkdirSync(directory);
  writeFileSync(
    join(directory, '0000000000000001.epochs'),
    forge(Buffer.concat(encodeEpoch(batch)), (head) => delete head.counters),
  );
  using journal = Journal.open(directory, OPTIONS);
  assert.deepEqual((await contentOf(journal)).map(said), [said({ ...batch, counters: [] })]);
});

test('what others call their devices and programs is cut, and counters that are none are no epoch', async () => {
  const line = epoch().counters[0]!;
  const long = {
    ...line,
    kind: 'x'.repeat(99),
    programs: { before: Array(99).fill('a\u0000\u001bb'), after: [] },
  };
  using journal = Journal.open(directory, OPTIONS);
  await journal.append({ ...epoch(), counters: [long] });
  const [read] = await contentOf(journal);
  assert.equal(read!.counters[0]!.kind.length, 64);
  assert.deepEqual(read!.counters[0]!.programs, { before: Array(64).fill('a··b'), after: [] });
  for (const begin of [[1], Array(8).fill('-1'), Array(8).fill('18446744073709551616'), 'none']) {
    const place = join(ROOT, String(number++));
    mkdirSync(place);
    writeFileSync(
      join(place, '0000000000000001.epochs'),
      forge(Buffer.concat(encodeEpoch(epoch())), (head) =>
        Object.assign((head.counters as object[])[0]!, { begin }),
      ),
    );
    using other = Journal.open(place, OPTIONS);
    assert.deepEqual(await contentOf(other), []);
  }
});

test('columns of zeros take no room', async () => {
  using journal = Journal.open(directory, OPTIONS);
  const batch = epoch({ flows: 1000 });
  for (const name of Object.keys(FIELDS) as (keyof typeof FIELDS)[])
    new Uint8Array(batch.columns[name].buffer).fill(0);
  await journal.append(batch);
  assert.ok(journal.octets < 4096, `${journal.octets} octets`);
});

test('an epoch that is known is not taken twice', async () => {
  using journal = Journal.open(directory, OPTIONS);
  await journal.append(epoch({ epoch: 1 }));
  await journal.append(epoch({ epoch: 2 }));
  await journal.append(epoch({ epoch: 2 }));
  await journal.append(epoch({ epoch: 1 }));
  await journal.append(epoch({ epoch: 1, agent: 'other' }));
  const epochs = await contentOf(journal);
  assert.deepEqual(
    epochs.map((each) => [each.agent, each.epoch]),
    [
      ['agent', 1],
      ['agent', 2],
      ['other', 1],
    ],
  );
});

test('what is known is known when the files are gone', async () => {
  {
    using journal = Journal.open(directory, OPTIONS);
    await journal.append(epoch({ epoch: 41 }));
    await contentOf(journal);
    assert.deepEqual(filesIn(), []);
  }
  using journal = Journal.open(directory, OPTIONS);
  assert.deepEqual([...journal.known], [['agent', 41]]);
});

test('epochs of one interval are one file, those of another are another', async () => {
  using journal = Journal.open(directory, OPTIONS);
  await journal.append(epoch({ epoch: 1, startMs: 10_000 }));
  await journal.append(epoch({ epoch: 2, startMs: 19_000 }));
  assert.equal(journal.oldest, undefined);
  await journal.append(epoch({ epoch: 3, startMs: 20_000 }));
  assert.equal(filesIn().length, 2);
  assert.ok(journal.oldest);
});

test('wherever a write was cut, the epochs before it are read, and it is told', async () => {
  using journal = Journal.open(directory, OPTIONS);
  await journal.append(epoch({ epoch: 1 }));
  const first = journal.octets;
  await journal.append(epoch({ epoch: 2 }));
  const whole = journal.octets;
  const [name] = filesIn();
  const cuts = Array.from({ length: whole + 1 }, (_, at) => at);
  for (const octets of cuts.filter((at) => at % 37 === 0 || at === first || at >= whole - 1)) {
    const copy = copyOf(directory);
    truncateSync(join(copy, name!), octets);
    const told: JournalError[] = [];
    using next = Journal.open(copy, { ...OPTIONS, listener: { damaged: (error) => told.push(error) } });
    const expected = octets < first ? 0 : octets < whole ? 1 : 2;
    assert.equal((await contentOf(next)).length, expected, `${octets} octets of ${whole}`);
    const isWhole = octets === 0 || octets === first || octets === whole;
    assert.deepEqual(
      told.map(({ code }) => code),
      isWhole ? [] : ['JOURNAL_DAMAGED'],
    );
    // What was cut is not known: it can be appended again.
    assert.equal(next.known.get('agent') ?? 0, expected);
  }
});

test('after a cut the journal goes on', async () => {
  {
    using journal = Journal.open(directory, OPTIONS);
    await journal.append(epoch({ epoch: 1 }));
  }
  appendFileSync(join(directory, filesIn()[0]!), Buffer.from('TSE1 and no more'));
  using journal = Journal.open(directory, OPTIONS);
  await journal.append(epoch({ epoch: 2 }));
  assert.deepEqual(
    (await contentOf(journal)).map((each) => each.epoch),
    [1, 2],
  );
});

test('files that anyone has changed give epochs or are told, and nothing else', async () => {
  const bytes = await (async () => {
    using journal = Journal.open(directory, OPTIONS);
    for (let each = 1; each <= 4; each++) await journal.append(epoch({ epoch: each }));
    return readFileSync(join(directory, filesIn()[0]!));
  })();
  const change = fc.record({
    at: fc.nat({ max: bytes.byteLength - 1 }),
    value: fc.nat({ max: 255 }),
    cut: fc.oneof(fc.constant(bytes.byteLength), fc.nat({ max: bytes.byteLength })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const changed = Buffer.from(bytes);
      let length = changed.byteLength;
      for (const { at, value, cut } of changes) {
        changed[at] = value;
        length = Math.min(length, cut);
      }
      const isSame = length === bytes.byteLength && changed.equals(bytes);
      const place = join(ROOT, String(number++));
      mkdirSync(place);
      writeFileSync(join(place, '0000000000000001.epochs'), changed.subarray(0, length));
      const told: JournalError[] = [];
      using journal = Journal.open(place, { ...OPTIONS, listener: { damaged: (error) => told.push(error) } });
      const epochs = await contentOf(journal);
      const whole = Array.from({ length: 4 }, (_, i) => said(epoch({ epoch: i + 1 })));
      for (const each of epochs) assert.deepEqual(said(each), whole[each.epoch - 1]);
      if (epochs.length === 4) assert.ok(isSame || told.length === 0);
      rmSync(place, { recursive: true });
    }),
    { numRuns: 300 },
  );
});

test('octets that were never a journal are no epochs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (noise, isRecord) => {
      const place = join(ROOT, String(number++));
      mkdirSync(place);
      writeFileSync(
        join(place, '0000000000000001.epochs'),
        isRecord ? Buffer.concat([Buffer.from('TSE1'), noise]) : noise,
      );
      writeFileSync(join(place, 'state'), noise);
      const told: JournalError[] = [];
      using journal = Journal.open(place, { ...OPTIONS, listener: { damaged: (error) => told.push(error) } });
      assert.deepEqual(await contentOf(journal), []);
      const isAny = noise.some((octet) => octet !== 0) && noise.findIndex((octet) => octet !== 0) < 8;
      assert.equal(told.filter(({ message }) => message.includes('/state ')).length, isAny ? 1 : 0);
      rmSync(place, { recursive: true });
    }),
    { numRuns: 200 },
  );
});

test('a directory is for one process', async () => {
  using _journal = Journal.open(directory, OPTIONS);
  assert.throws(() => Journal.open(directory, OPTIONS), { code: 'JOURNAL_BUSY' });
});

test('a directory that cannot be used is told with its name', async () => {
  writeFileSync(directory, '');
  assert.throws(() => Journal.open(directory, OPTIONS), {
    code: 'JOURNAL_DIRECTORY',
    message: new RegExp(directory),
  });
});

/** Octets and packets of all epochs at a point, by what became of them. */
function sums(epochs: readonly FlowBatch[]): { seen: bigint; recorded: bigint; dropped: bigint } {
  const sum = { seen: 0n, recorded: 0n, dropped: 0n };
  for (const { seen, ledger, columns, length } of epochs) {
    for (const line of seen) sum.seen += line.packets;
    for (const line of ledger)
      if (line.reason === DROPPED) sum.dropped += line.packets;
      else sum.recorded += line.packets;
    for (let row = 0; row < length; row++) sum.recorded += columns.packets[row]!;
  }
  return sum;
}

test('at the bound the oldest files go, and what was in them is told once, whenever a process ends', async () => {
  const size = await (async () => {
    using journal = Journal.open(join(ROOT, String(number++)), OPTIONS);
    await journal.append(epoch());
    return journal.octets;
  })();
  let expected = 0n;
  for (let each = 1; each <= 60; each++) {
    // Each third one by another process, as after a kill.
    if (each % 3 === 0) directory = copyOf(directory);
    using journal = Journal.open(directory, { ...OPTIONS, maxOctets: 8 * size });
    const batch = epoch({ epoch: each, startMs: 10_000 * each });
    for (const { packets } of batch.seen) expected += packets;
    await journal.append(batch);
    assert.ok(journal.octets <= 8 * size);
  }
  using journal = Journal.open(directory, OPTIONS);
  const { seen, recorded, dropped } = sums(await contentOf(journal));
  assert.equal(seen, expected);
  assert.equal(seen, recorded + dropped);
  assert.ok(dropped > 0n);
});

test('a file that a former process may have stored is not dropped', async () => {
  {
    using journal = Journal.open(directory, OPTIONS);
    await journal.append(epoch({ epoch: 1, startMs: 10_000 }));
  }
  using journal = Journal.open(directory, { ...OPTIONS, maxOctets: 3000 });
  for (let each = 2; each < 20; each++)
    try {
      await journal.append(epoch({ epoch: each, startMs: 10_000 * each }));
    } catch (error) {
      assert.equal((error as JournalError).code, 'JOURNAL_FULL');
    }
  assert.ok(journal.dropped.epochs > 0);
  const epochs = await contentOf(journal);
  assert.deepEqual([epochs[0]?.agent, epochs[0]?.epoch], ['agent', 1]);
});

test('what was dropped is told in the transaction that is under way, and at the end', async () => {
  mkdirSync(directory);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1200k', 'none', directory]);
  try {
    const ballast = join(directory, 'ballast');
    using journal = Journal.open(directory, OPTIONS);
    await journal.append(epoch({ epoch: 1, startMs: 10_000 }));
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(2_000_000)), { code: 'ENOSPC' });
    const large = epoch({ epoch: 2, startMs: 11_000, flows: 500 });
    await assert.rejects(journal.append(large), { code: 'JOURNAL_WRITE' });
    rmSync(ballast);
    await journal.append(epoch({ epoch: 3, startMs: 12_000 }));
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(2_000_000)), { code: 'ENOSPC' });
    await assert.rejects(journal.append({ ...large, epoch: 4 }), { code: 'JOURNAL_WRITE' });
    rmSync(ballast);
    await journal.writeDropped();
    const { seen, recorded, dropped } = sums(await contentOf(journal));
    assert.equal(seen, recorded + dropped);
    assert.equal(dropped, 2n * sums([large]).seen);
  } finally {
    execFileSync('umount', ['-l', directory]);
  }
});

test('when the disk is full what is lost is counted, and told when there is room again', async () => {
  mkdirSync(directory);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1400k', 'none', directory]);
  try {
    let expected = 0n;
    let failures = 0;
    {
      using journal = Journal.open(directory, OPTIONS);
      for (let each = 1; each <= 40; each++) {
        const batch = epoch({ epoch: each, startMs: 10_000 * each, flows: 200 });
        for (const { packets } of batch.seen) expected += packets;
        try {
          await journal.append(batch);
        } catch (error) {
          assert.equal((error as JournalError).code, 'JOURNAL_WRITE');
          failures++;
        }
      }
      assert.equal(journal.dropped.epochs, failures);
      assert.ok(failures > 0 && failures < 40, `${failures} failures`);
    }
    // Another process: what was counted is still known.
    using journal = Journal.open(directory, OPTIONS);
    const before = await contentOf(journal);
    await journal.append(epoch({ epoch: 100, startMs: 1_000_000 }));
    for (const { packets } of epoch().seen) expected += packets;
    const epochs = [...before, ...(await contentOf(journal))];
    const { seen, recorded, dropped } = sums(epochs);
    assert.equal(seen, expected);
    assert.equal(seen, recorded + dropped);
    assert.ok(statSync(join(directory, 'state')).size > 0);
  } finally {
    execFileSync('umount', ['-l', directory]);
  }
});
