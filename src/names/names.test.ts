import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../flow/index.ts';
import { FoundNamesSchema, NamesAnswerSchema, NamesQuestionSchema } from '../query/index.ts';
import { keyedAddress } from './address-key.ts';
import { NAMES_ERROR_CODES, NamesError } from './error.ts';
import { FollowedFile } from './followed-file.ts';
import { parseHosts } from './hosts.ts';
import { Names } from './index.ts';
import { Labels } from './labels.ts';
import { printableName } from './printable.ts';

const directory = mkdtempSync(join(tmpdir(), 'names-'));
after(() => rmSync(directory, { recursive: true }));

function labelOf(labels: Labels, text: string): string | undefined {
  return labels.ofAddress(keyedAddress(text)!)?.name;
}

test('a name is on one line, printable, and not too long, whatever it was', () => {
  for (const [given, shown] of [
    ['web-1.example.org', 'web-1.example.org'],
    ['office\tBerlin\r\n2', 'office Berlin 2'],
    ['\x1b[31mred\x07', '[31mred'],
    ['a\u202egnp.exe', 'agnp.exe'],
    ['z\u200b\u2066e\ufeffro', 'zero'],
    ['<img src=x onerror="alert(1)">', 'img src=x onerror=alert(1)'],
    ['R&D Köln 東京', 'R&D Köln 東京'],
    ['\ud800x', 'x'],
    ['\u3164', undefined],
    [' \u0000\u2800 ', undefined],
  ] as const)
    assert.equal(printableName(given), shown, JSON.stringify(given));
  assert.equal(printableName('é'.repeat(5000))?.length, 253);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
      const name = printableName(text);
      if (name === undefined) return;
      assert.match(name, /^[^\p{C}\p{Zl}\p{Zp}<>"`]+$/u);
      assert.ok([...name].length <= 253 && name === name.trim());
      assert.equal(printableName(name), name, 'it is fit');
    }),
  );
});

test('of each address the hosts file names the first, and what is no line is passed over', () => {
  const names = parseHosts(
    '127.0.0.1 localhost lh # here\n\n# 10.0.0.9 no\n10.0.0.1\tweb1 web\n10.0.0.1 other\nFE80:0::1 six\n10.0.0.300 x\n0.0.0.0 ads.example\n:: ads\n10.0.0.2\n',
  );
  assert.deepEqual(Object.fromEntries(names), {
    '127.0.0.1': 'localhost',
    '10.0.0.1': 'web1',
    'fe80::1': 'six',
  });
});

test('an address has its own label, else that of the smallest network', () => {
  const labels = new Labels(
    `10.0.0.0/8 ten
10.1.0.0/16  ten one  # narrower
10.1.2.3 exactly
10.1.2.4/32 as a network
::/0 all of six
2001:db8::/33 doc
02:00:00:00:00:0A printer
segment vxlan:5001 red`,
  );
  assert.deepEqual(
    ['10.9.9.9', '10.1.2.9', '10.1.2.3', '10.1.2.4', '11.0.0.1', '2001:db8:7fff::1', '2001:db8:8000::1'].map(
      (text) => labelOf(labels, text),
    ),
    ['ten', 'ten one', 'exactly', 'as a network', undefined, 'doc', 'all of six'],
  );
  assert.equal(labelOf(labels, '02:00:00:00:00:0a'), 'printer');
  assert.equal(labelOf(labels, '::ffff:10.1.2.3'), 'exactly', 'the same address, written otherwise');
  assert.deepEqual(labels.ofAddress(keyedAddress('10.1.2.9')!), {
    name: 'ten one',
    from: 'labels',
    network: '10.1.0.0/16',
  });
  assert.deepEqual(labels.ofSegment('vxlan:5001'), { name: 'red', from: 'labels' });
  assert.equal(labels.ofSegment('vxlan:5002'), undefined);
});

test('the longest prefix is found as by looking at every network', () => {
  const bits = fc.integer({ min: 0, max: 32 });
  const address = fc.integer({ min: 0, max: 0xffffffff });
  const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
  const starts = (value: number, length: number): number =>
    length === 0 ? 0 : (value >>> (32 - length)) * 2 ** (32 - length);
  fc.assert(
    fc.property(fc.array(fc.tuple(address, bits), { maxLength: 20 }), address, (networks, asked) => {
      // The asked one shares leading bits with each of them often enough only when derived from it.
      const near = networks.map(([other, length], i) => [i % 2 === 0 ? asked : other, length] as const);
      const text = near.map(([value, length], i) => `${dotted(value)}/${length} n${i}`).join('\n');
      const fits = near.flatMap(([value, length], i) =>
        starts(value, length) === starts(asked, length) ? [{ length, i }] : [],
      );
      const longest = Math.max(-1, ...fits.map(({ length }) => length));
      const last = fits.findLast(({ length }) => length === longest);
      const found = dotted(asked) === '0.0.0.0' ? undefined : labelOf(new Labels(text), dotted(asked));
      assert.equal(found, dotted(asked) === '0.0.0.0' || !last ? undefined : `n${last.i}`);
    }),
  );
});

test('of labels that are wrong the line is said, and what is wrong', () => {
  for (const [text, message] of [
    ['10.0.0.1 ok\n10.0.0.300 x', 'f:2: "10.0.0.300" is no address, network or MAC, nor "segment"'],
    ['10.0.0.0/33 x', 'f:1: "10.0.0.0/33" is no address, network or MAC, nor "segment"'],
    ['10.0.0.1', 'f:1: "10.0.0.1" has no name behind it'],
    ['10.0.0.1 # name', 'f:1: "10.0.0.1" has no name behind it'],
    ['segment 5001 red', 'f:1: "5001" is no segment, e.g. vxlan:5001 or none'],
    ['segment vxlan:5001', 'f:1: segment vxlan:5001 has no name behind it'],
    [`${'x'.repeat(1e6)} y`, `f:1: "${'x'.repeat(60)}…" is no address, network or MAC, nor "segment"`],
  ])
    assert.throws(() => new Labels(text, 'f'), { code: 'NAMES_LABELS', message });
});

test('a file is read again when it has changed, and what it said before holds while it is wrong', async () => {
  const path = join(directory, 'followed');
  let nowMs = 0;
  const problems: string[] = [];
  const parse = (text: string): string => {
    if (text === 'wrong') throw new NamesError('NAMES_LABELS', 'wrong');
    return text;
  };
  const problem = (error: Error): void => void problems.push(error.message);
  const options = { parse, problem, clock: () => nowMs };
  await assert.rejects(FollowedFile.open(path, options), { code: 'NAMES_FILE' });
  writeFileSync(path, 'one');
  const file = await FollowedFile.open(path, options);
  writeFileSync(path, 'two!');
  assert.equal(await file.content(), 'one', 'within a second it is not looked at');
  const later = async (): Promise<string> => {
    nowMs += 1000;
    return await file.content();
  };
  assert.equal(await later(), 'two!');
  writeFileSync(`${path}.new`, 'six!');
  renameSync(`${path}.new`, path);
  assert.equal(await later(), 'six!', 'also another file in its place');
  writeFileSync(path, 'wrong');
  for (let i = 0; i < 3; i++) assert.equal(await later(), 'six!');
  rmSync(path);
  for (let i = 0; i < 3; i++) assert.equal(await later(), 'six!');
  mkdirSync(path);
  for (let i = 0; i < 3; i++) assert.equal(await later(), 'six!');
  rmSync(path, { recursive: true });
  execFileSync('mkfifo', [path]);
  assert.equal(await later(), 'six!', 'nobody writes to it, and nobody waits');
  rmSync(path);
  writeFileSync(path, Buffer.alloc(8 * 2 ** 20 + 1));
  assert.equal(await later(), 'six!');
  writeFileSync(path, 'well');
  assert.equal(await later(), 'well');
  assert.deepEqual(
    problems.map((line) => line.replaceAll(path, 'FILE')),
    [
      'wrong; names stay as they were',
      "reading names from FILE failed: ENOENT: no such file or directory, open 'FILE'; names stay as they were",
      'reading names from FILE failed: it is no file; names stay as they were',
      'reading names from FILE failed: it is no file; names stay as they were',
      'reading names from FILE failed: it has 8388609 octets, and 8388608 are read at most; names stay as they were',
    ],
  );
  const absent = await FollowedFile.open(join(directory, 'none'), { ...options, absent: 'nothing' });
  assert.equal(await absent.content(), 'nothing');
  assert.equal(problems.length, 5, 'which is no problem');
  writeFileSync(path, 'wrong');
  const unfit = await FollowedFile.open(path, { ...options, absent: 'nothing' });
  assert.equal(await unfit.content(), 'nothing');
  assert.equal(problems.at(-1), 'wrong', 'what keeps nothing from starting is told');
});

test('labels are believed before the hosts file, and only what has a name is in the answer', async () => {
  const [labels, hosts] = [join(directory, 'labels'), join(directory, 'hosts')];
  writeFileSync(labels, '10.0.0.1 mine\n10.0.1.0/24 net\nsegment none plain\n');
  writeFileSync(hosts, '10.0.0.1 theirs\n10.0.0.2 two\n10.0.1.1 host\n');
  const listener = { problem: assert.ifError, recovered: assert.fail };
  using names = await Names.open({ hosts, labels, dns: false }, listener);
  const asked = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '10.0.0.3', '(others)', '__proto__', '10.0.0.1'];
  const question = NamesQuestionSchema.parse({ addresses: asked, segments: ['none', 'vxlan:1'] });
  const answer = await names.names(question);
  assert.deepEqual(NamesAnswerSchema.parse(answer), answer);
  assert.deepEqual(answer, {
    addresses: {
      '10.0.0.1': { name: 'mine', from: 'labels' },
      '10.0.0.2': { name: 'two', from: 'hosts' },
      '10.0.1.1': { name: 'net', from: 'labels', network: '10.0.1.0/24' },
    },
    segments: { none: { name: 'plain', from: 'labels' } },
    pending: [],
  });
  await assert.rejects(names.change({ hosts, labels: join(directory, 'missing'), dns: false }), {
    code: 'NAMES_FILE',
  });
  assert.deepEqual(await names.names(question), answer, 'all stays');
  await names.change({ hosts: undefined, labels: undefined, dns: false });
  assert.deepEqual(await names.names(question), { addresses: {}, segments: {}, pending: [] });
});

test('by a part of a name everything is found that is called so, and nothing by a name that another one hides', async () => {
  const [labels, hosts] = [join(directory, 'labels'), join(directory, 'hosts')];
  writeFileSync(
    labels,
    '10.0.0.1 Web one\n10.0.1.0/24 web racks\nsegment vxlan:5001 tenant of WEB\n02:00:00:00:00:0a web cam\n10.0.0.9 db\n',
  );
  writeFileSync(hosts, '10.0.0.1 web-hidden\n10.0.0.2 web-2.example\n10.0.1.7 web-hidden\n10.0.0.3 other\n');
  const listener = { problem: assert.ifError, recovered: assert.fail };
  using names = await Names.open({ hosts, labels, dns: false }, listener);
  const found = await names.find('wEb');
  assert.deepEqual(FoundNamesSchema.parse(found), found);
  assert.deepEqual(found, {
    addresses: {
      '10.0.0.1': { name: 'Web one', from: 'labels' },
      '02:00:00:00:00:0a': { name: 'web cam', from: 'labels' },
      '10.0.0.2': { name: 'web-2.example', from: 'hosts' },
    },
    networks: { '10.0.1.0/24': { name: 'web racks', from: 'labels', network: '10.0.1.0/24' } },
    segments: { 'vxlan:5001': { name: 'tenant of WEB', from: 'labels' } },
    isCut: false,
  });
  writeFileSync(
    `${labels}.many`,
    Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.1 host ${i}`).join('\n'),
  );
  await names.change({ hosts: undefined, labels: `${labels}.many`, dns: false });
  const many = await names.find('host');
  assert.deepEqual([Object.keys(many.addresses).length, many.isCut], [1000, true]);
  assert.equal((await names.find('host 2999')).addresses['10.11.183.1']?.name, 'host 2999');
});

test('an address is the same however it is written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
      fc.pre(octets.some((octet) => octet !== 0));
      const groups = Buffer.from(octets).toString('hex').match(/.{4}/g)!.join(':');
      assert.equal(keyedAddress(groups.toUpperCase())?.key, keyedAddress(formatAddress(octets))?.key);
    }),
  );
  assert.equal(keyedAddress('0.0.0.0'), undefined);
});

test('every error code of names stands in docs/errors.md', () => {
  const document = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  for (const code of NAMES_ERROR_CODES) assert.ok(document.includes(`\`${code}\``), code);
});
