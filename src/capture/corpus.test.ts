/**
 * Captures of other projects, where they are at hand beside this repository: `../shared/corpus` with `pcap/`, and what
 * tshark says of each packet in `truth/`. They are not ours to distribute.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { readAll } from './capture.fixture.ts';
import { Capture } from './index.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url).pathname;
const skip = !existsSync(CORPUS) && 'there are no captures of others in ../shared/corpus';

/** tshark lists custom blocks, which hold no packets, as packets of nothing but data. */
const WITH_CUSTOM_BLOCKS = ['gopacket-test018.pcapng', 'gopacket-test018-4fef46.pcapng'];
/** A length and a time beyond 2^31, which tshark cuts and takes as negative. */
const BEYOND_TSHARK = ['ndpi-fuzz-2021-06-07-c6c72a0a56.pcap'];

interface Row {
  readonly captured: number;
  readonly length: number;
  readonly timeNs: bigint | undefined;
}

/** Columns of the truth, as tshark wrote them. */
function truthOf(name: string): Row[] {
  const [head, ...lines] = readFileSync(join(CORPUS, 'truth', `${name}.tsv`), 'utf8')
    .trimEnd()
    .split('\n');
  const columns = head!.split('\t');
  const rows = lines.map((line) => {
    const cells = line.split('\t');
    return (column: string) => cells[columns.indexOf(column)]!;
  });
  return rows
    .filter((cell) => !(WITH_CUSTOM_BLOCKS.includes(name) && cell('frame.protocols') === 'data'))
    .map((cell) => ({
      captured: Number(cell('frame.cap_len')),
      length: Number(cell('frame.len')),
      timeNs: nanoseconds(cell('frame.time_epoch')),
    }));
}

function nanoseconds(time: string): bigint | undefined {
  const [seconds, fraction = ''] = time.split('.');
  return time === '' ? undefined : BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

test('captures of others give the packets, lengths and times that tshark gives', { skip }, async () => {
  const manifest = JSON.parse(readFileSync(join(CORPUS, 'manifest.json'), 'utf8')) as {
    readonly files: readonly { readonly name: string; readonly linktype: readonly number[] }[];
  };
  const wrong: string[] = [];
  for (const { name, linktype } of manifest.files) {
    const reading = await Capture.open(join(CORPUS, 'pcap', name));
    const read = (await readAll(reading)).map(({ octets, originalLength, timeNs }) => ({
      captured: octets.length / 2,
      length: originalLength,
      timeNs,
    }));
    if (reading.error) wrong.push(`${name}: ${reading.error.message}`);
    const linkTypes = [...new Set(reading.interfaces.map((each) => each.linkType))];
    if (!isDeepStrictEqual(linkTypes, linktype)) wrong.push(`${name}: ${linkTypes}, not ${linktype}`);
    const truth = truthOf(name);
    if (read.length !== truth.length) wrong.push(`${name}: ${read.length} packets, not ${truth.length}`);
    const isOf = (row: Row, i: number) =>
      BEYOND_TSHARK.includes(name) ? row.captured === read[i]?.captured : isDeepStrictEqual(row, read[i]);
    const at = truth.findIndex((row, i) => !isOf(row, i));
    if (at >= 0) wrong.push(`${name}: packet ${at} is ${show(read[at])}, not ${show(truth[at])}`);
  }
  assert.ok(manifest.files.length > 0);
  assert.deepEqual(wrong, []);
});

function show(row: Row | undefined): string {
  return row ? `${row.captured} of ${row.length} octets at ${row.timeNs}` : 'missing';
}
