import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createProgram } from '../program.ts';
import { completeLine } from './completing.ts';

const program = createProgram();

/** What is suggested at the end of a line for the word there as bash cuts words. */
const suggested = (line: string, word: string): string[] =>
  completeLine(program, { line, word }).map(({ text }) => text);

test('a question is completed word by word, in quotes and without', () => {
  assert.deepEqual(suggested('tunnelscope query d', 'd'), ['distinct']);
  assert.deepEqual(suggested('tunnelscope query top outer.', 'outer.'), ['outer.src', 'outer.dst']);
  assert.deepEqual(suggested('tunnelscope query top src,outer.', 'src,outer.'), [
    'src,outer.src',
    'src,outer.dst',
  ]);
  assert.deepEqual(suggested("tunnelscope query 'top src la", "'top src la"), ['top src last']);
  assert.deepEqual(
    suggested('tunnelscope query "top src last 1h where vni = 5 a', '"top src last 1h where vni = 5 a'),
    ['top src last 1h where vni = 5 and'],
  );
  assert.deepEqual(suggested('tunnelscope query top src since yesterday 10:00 wh', 'wh'), ['where']);
});

test('options are no words of a question, and values of options are not completed so', () => {
  assert.deepEqual(suggested('tunnelscope query --history /var/x --json top src la', 'la'), ['last']);
  assert.deepEqual(suggested('tunnelscope query top src --hi', '--hi'), []);
  assert.deepEqual(suggested('tunnelscope query --history d', 'd'), []);
  assert.deepEqual(suggested('tunnelscope report d', 'd'), []);
  assert.deepEqual(suggested('', ''), []);
});

test('what a shell would act on is suggested in quotes only', () => {
  const bare = suggested('tunnelscope query top src where vni ', '');
  assert.ok(bare.includes('in') && !bare.some((word) => /[<>!=]/.test(word)), bare.join(' '));
  assert.ok(
    suggested("tunnelscope query 'top src where vni ", "'top src where vni ").includes(
      'top src where vni >=',
    ),
  );
});

test('bash asks for it', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const ask = (line: string, words: string, at: number): string[] => {
    const script = `eval "$(tunnelscope completion bash)"
      COMP_LINE=${line} COMP_POINT=\${#COMP_LINE} COMP_WORDS=(${words}) COMP_CWORD=${at}
      _tunnelscope; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${root}:${process.env.PATH}` };
    return execFileSync('bash', ['-c', script], { encoding: 'utf8', env }).trim().split('\n');
  };
  assert.deepEqual(ask(`'tunnelscope query top src,d'`, 'tunnelscope query top src,d', 3), [
    'src,dst',
    'src,dport',
    'src,dscp',
    'src,direction',
  ]);
  assert.deepEqual(ask(`"tunnelscope query 'top src by "`, `tunnelscope query "'top src by "`, 2), [
    'top src by octets',
    'top src by packets',
    'top src by payload',
    'top src by flows',
  ]);
  assert.deepEqual(ask(`'tunnelscope query top src --ti'`, 'tunnelscope query top src --ti', 4), [
    '--time-zone',
  ]);
});
