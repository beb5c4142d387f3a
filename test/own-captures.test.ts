/** The committed captures through `read`, against their committed truths; and both against what makes them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type DecodedRecord, MARK, REMARK, TUNNEL } from '../src/flow/index.ts';
import { flowOf, flowText } from './flow-words.ts';
import { OPTIONAL_WORDS, type OwnCapture, ownCaptures } from './own-captures.ts';
import { CAPTURES, readTruth, truthOf } from './own-truth.ts';
import { hasTshark } from './tshark.ts';
import { OPTIONAL } from './tunnel-combinations.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

/** The captures to be read with other words than none, and those. */
const SETS = [
  { words: [], captures: ownCaptures().filter(({ options }) => options !== OPTIONAL) },
  { words: OPTIONAL_WORDS, captures: ownCaptures().filter(({ options }) => options === OPTIONAL) },
];

function read(words: readonly string[], captures: readonly OwnCapture[]): string {
  const paths = captures.map(({ name }) => join(CAPTURES, name));
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'read', ...words, ...paths], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 26,
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

type Record = DecodedRecord & { readonly epoch: number; readonly packets: number; readonly octets: number };

/** What `read --json` says of all captures of a set, by the capture's name. */
function recordsOf({ words, captures }: (typeof SETS)[number]): Map<string, Record[]> {
  const records = new Map<string, Record[]>(captures.map(({ name }) => [name, []]));
  for (const line of read(['--json', ...words], captures)
    .trimEnd()
    .split('\n')) {
    const record = JSON.parse(line) as Record;
    // Without --freq an epoch is a file.
    records.get(captures[record.epoch - 1]!.name)!.push(record);
  }
  return records;
}

const RECORDS = new Map(SETS.flatMap((set) => [...recordsOf(set)]));

interface Sum {
  readonly packets: number;
  readonly octets: number;
}

/** Packets and octets by flow, in words. */
function sums(flows: readonly (Sum & { readonly text: string })[]): Map<string, Sum> {
  const all = new Map<string, Sum>();
  for (const { text, packets, octets } of flows) {
    const known = all.get(text) ?? { packets: 0, octets: 0 };
    all.set(text, { packets: known.packets + packets, octets: known.octets + octets });
  }
  return all;
}

test('read finds the flows of every committed capture: kinds, identifiers, addresses, ports, packets, octets', () => {
  for (const [name, records] of RECORDS) {
    const found = records.map((record) => ({
      text: flowText(flowOf(record)),
      packets: record.packets,
      octets: record.octets,
    }));
    const expected = readTruth(name).flows.map((flow) => ({ ...flow, text: flowText(flow) }));
    assert.ok(expected.length > 0);
    assert.deepEqual(sums(found), sums(expected), name);
  }
});

test('what is in no flow of the committed captures stands in the last line of the report', () => {
  for (const { words, captures } of SETS) {
    const said = read([...words, '--top', '1'], captures).match(/(?<=\(|, )[a-z0-9_]+ \d+(?=[,)])/g) ?? [];
    const expected = new Map<string, number>();
    for (const { name } of captures)
      for (const { reason, packets } of readTruth(name).ledger)
        expected.set(reason, (expected.get(reason) ?? 0) + packets);
    assert.deepEqual(said.sort(), [...expected].map(([reason, packets]) => `${reason} ${packets}`).sort());
  }
});

test('every tunnel, every mark and every remark of a record is in a committed capture', () => {
  const truths = [...RECORDS.keys()].flatMap((name) => readTruth(name).flows);
  const names = (kinds: Iterable<string | undefined>): string[] =>
    [...new Set(kinds)].filter(Boolean).sort() as string[];
  const all = (kinds: object): string[] =>
    Object.keys(kinds)
      .filter((name) => name !== 'none')
      .sort();
  assert.deepEqual(names(truths.flatMap(({ tunnels }) => tunnels.map(({ kind }) => kind))), all(TUNNEL));
  assert.deepEqual(names(truths.map(({ mark }) => mark?.kind)), all(MARK));
  const remarks = [...RECORDS.values()].flat().flatMap(({ remark }) => remark as string[]);
  assert.deepEqual(
    names(remarks),
    all(REMARK).filter((name) => name !== 'overflow'),
  );
});

test('the committed captures are what they are made of, octet by octet', () => {
  const captures = ownCaptures();
  assert.deepEqual(
    readdirSync(CAPTURES).sort(),
    ['README.md', ...captures.flatMap(({ name }) => [name, `${name}.json`])].sort(),
  );
  for (const { name, octets } of captures) {
    const file = readFileSync(join(CAPTURES, name));
    // The packing is zlib's, whose next version may pack otherwise.
    const unpacked = name.endsWith('.gz')
      ? gunzipSync(file)
      : name.endsWith('.zst')
        ? zstdDecompressSync(file)
        : file;
    assert.ok(unpacked.equals(octets), `${name} is not what is written now: node test/write-captures.ts`);
  }
});

test('tshark says of the committed captures what was committed', (t) => {
  if (!hasTshark()) return t.skip('tshark, where the truths come from, is not installed');
  for (const capture of ownCaptures()) {
    const { flows, ledger } = truthOf(capture);
    const committed = readTruth(capture.name);
    assert.deepEqual([flows, ledger], [committed.flows, committed.ledger], capture.name);
  }
});
