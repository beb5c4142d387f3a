import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyReader, type TerminalInput } from './keys.ts';

function read(...pieces: readonly (string | Uint8Array)[]): TerminalInput[] {
  const reader = new KeyReader();
  return [...pieces.flatMap((piece) => reader.read(Buffer.from(piece))), ...reader.flush()];
}

const keys = (...names: readonly string[]): TerminalInput[] => names.map((key) => ({ kind: 'key', key }));

/** What terminals send, and what it means. */
const SEQUENCES: readonly (readonly [string, readonly TerminalInput[]])[] = [
  ['q', keys('q')],
  ['é', keys('é')],
  ['世', keys('世')],
  ['\r', keys('enter')],
  ['\t', keys('tab')],
  ['\x7f', keys('backspace')],
  ['\x03', keys('ctrl-c')],
  ['\x1b[A', keys('up')],
  ['\x1bOB', keys('down')],
  ['\x1b[1;5C', keys('right')],
  ['\x1b[5~', keys('pageup')],
  ['\x1b[6~', keys('pagedown')],
  ['\x1b[1~', keys('home')],
  ['\x1b[F', keys('end')],
  ['\x1b[Z', keys('backtab')],
  ['\x1b[3~', keys('delete')],
  // Keys that nobody here knows, and answers that nobody asked for.
  ['\x1b[24~', []],
  ['\x1b[?62;22c', []],
  ['\x1b[I', []],
  ['\x1bP1$r0m\x1b\\', []],
  ['\x1b[<0;10;5M', [{ kind: 'mouse', action: 'press', row: 4, column: 9 }]],
  ['\x1b[<0;10;5m', [{ kind: 'mouse', action: 'release', row: 4, column: 9 }]],
  ['\x1b[<16;1;1M', [{ kind: 'mouse', action: 'press', row: 0, column: 0 }]],
  ['\x1b[<64;300;200M', [{ kind: 'mouse', action: 'wheel-up', row: 199, column: 299 }]],
  ['\x1b[<65;1;1M', [{ kind: 'mouse', action: 'wheel-down', row: 0, column: 0 }]],
  ['\x1b[<2;1;1M', []],
  ['\x1b[200~tcp and\r\x1b[Aq\x1b[201~', [{ kind: 'pasted', text: 'tcp and\r\x1b[Aq' }]],
  ['\x1b]11;rgb:ffff/ffff/ffff\x1b\\', [{ kind: 'ground', isDark: false }]],
  ['\x1b]11;rgb:00/10/10\x07', [{ kind: 'ground', isDark: true }]],
];

test('each sequence is what terminals mean by it', () => {
  for (const [text, inputs] of SEQUENCES) assert.deepEqual(read(text), inputs, JSON.stringify(text));
});

test('sequences mean the same however they come in pieces', () => {
  const some = fc.array(fc.integer({ min: 0, max: SEQUENCES.length - 1 }), { maxLength: 8 });
  const places = fc.array(fc.nat(200), { maxLength: 12 });
  fc.assert(
    fc.property(some, places, (chosen, cuts) => {
      const octets = Buffer.from(chosen.map((each) => SEQUENCES[each]![0]).join(''));
      const bounds = [0, ...cuts.map((at) => Math.min(at, octets.length)), octets.length].sort(
        (a, b) => a - b,
      );
      const pieces = bounds.slice(1).map((end, i) => octets.subarray(bounds[i], end));
      assert.deepEqual(
        read(...pieces),
        chosen.flatMap((each) => SEQUENCES[each]![1]),
      );
    }),
  );
});

test('an escape alone is the key once nothing follows it, and not before', () => {
  const reader = new KeyReader();
  assert.deepEqual(reader.read(Buffer.from('\x1b')), []);
  assert.ok(reader.isWaiting);
  assert.deepEqual(reader.flush(), keys('escape'));
  assert.deepEqual(reader.flush(), []);
  assert.deepEqual(read('\x1b\x1b'), keys('escape', 'escape'));
  assert.deepEqual(read('\x1b', '[A'), keys('up'));
  // Typed ahead, and come in one piece.
  assert.deepEqual(read('\x1bq'), keys('escape', 'q'));
  assert.deepEqual(read('\x1b\x03'), keys('escape', 'ctrl-c'));
});

test('whatever comes, nothing throws, and what is typed behind it is read', () => {
  const any = fc.string({
    unit: fc.constantFrom('\x1b', '[', ']', 'P', '<', '2', '0', '~', ';', 'M', '\x07', 'a', '\x9b', 'ü'),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 10 }), (pieces) => {
      // The end of what was pasted, and of any string, brings it back to keys.
      assert.deepEqual(read(...pieces, '\x1b[201~', '\x1b\\', 'zz').at(-1), { kind: 'key', key: 'z' });
    }),
  );
});

test('a sequence without an end is given up, and of what is pasted only so much is kept', () => {
  assert.deepEqual(read(`\x1b]0;${'x'.repeat(5000)}`, 'q'), keys('q'));
  const [pasted] = read(`\x1b[200~${'y'.repeat(100_000)}`, '\x1b[20', '1~');
  assert.equal(pasted?.kind === 'pasted' && pasted.text.length, 4096);
});
