import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BpfError, cutVerifierLog, errnoName, errnoText } from './error.ts';
import { countCpus, kernelAtLeast } from './kernel.ts';
import { reasonOf, verifierLogOf } from './log.ts';

test('an error says what was tried, what was found and what would help', () => {
  const error = new BpfError('BPF_LINK', {
    action: 'attach x',
    errno: 22,
    minimumKernel: '99.1',
    remedy: 'use another mode',
  });
  assert.match(
    error.message,
    /^cannot attach x: EINVAL \(the kernel does not accept it\); it needs Linux 99\.1 or later, this is .+; use another mode$/,
  );
  assert.deepEqual(
    [error.code, error.errno, error.errnoName, error.minimumKernel],
    ['BPF_LINK', 22, 'EINVAL', '99.1'],
  );
});

test('errno has its name, also where C has none', () => {
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(524), 'ENOTSUPP');
  assert.equal(errnoName(4711), 'errno 4711');
  assert.equal(errnoText(1), 'EPERM (not permitted)');
});

test('a verifier log keeps its end and says how much is missing', () => {
  const log = `${Array.from({ length: 20 }, (_, i) => `${i}: (b7) r0 = 0`).join('\n')}\nR0 !read_ok\nprocessed 20 insns (limit 1000000)\n`;
  const cut = cutVerifierLog(log);
  assert.equal(cut.split('\n')[0], '(15 lines omitted)');
  assert.equal(cut.split('\n').at(-1), 'R0 !read_ok');
  assert.equal(cutVerifierLog('R0 !read_ok\n'), 'R0 !read_ok');
});

test('the verifier’s log is told from the words of libbpf', () => {
  const words =
    "libbpf: prog 'p': BPF program load failed\nlibbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n0: exit\n-- END PROG LOAD LOG --\nlibbpf: failed\n";
  assert.equal(verifierLogOf(words), '0: exit\n');
  assert.equal(reasonOf(words), "prog 'p': BPF program load failed; failed");
  assert.equal(verifierLogOf('libbpf: elf: no\n'), undefined);
});

test('possible CPUs are counted to the highest number', () => {
  assert.equal(countCpus('0\n'), 1);
  assert.equal(countCpus('0-3\n'), 4);
  assert.equal(countCpus('0-3,8-11'), 12);
  assert.throws(() => countCpus(''), RangeError);
});

test('kernel versions compare as numbers', () => {
  assert.equal(kernelAtLeast('4.19'), true);
  assert.equal(kernelAtLeast('1000.0'), false);
});
