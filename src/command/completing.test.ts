import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { batchOf } from '../flow/batch.fixture.ts';
import { createProgram } from '../program.ts';
import { DuckDbStore } from '../store/index.ts';
import { askSeen, completeLine, type SeenLately } from './completing.ts';

const program = await createProgram();

/** What is suggested at the end of a line for the word there as bash cuts words. */
const suggested = async (line: string, word: string, seen: SeenLately = async () => []): Promise<string[]> =>
  (await completeLine(program, { line, word }, seen)).map(({ text }) => text);

test('a question is completed word by word, in quotes and without', async () => {
  assert.deepEqual(await suggested('tunnelscope query d', 'd'), ['distinct']);
  assert.deepEqual(await suggested('tunnelscope query top outer.', 'outer.'), ['outer.src', 'outer.dst']);
  assert.deepEqual(await suggested('tunnelscope query top src,outer.', 'src,outer.'), [
    'src,outer.src',
    'src,outer.dst',
  ]);
  assert.deepEqual(await suggested("tunnelscope query 'top src la", "'top src la"), ['top src last']);
  assert.deepEqual(
    await suggested('tunnelscope query "top src last 1h where vni = 5 a', '"top src last 1h where vni = 5 a'),
    ['top src last 1h where vni = 5 and'],
  );
  assert.deepEqual(await suggested('tunnelscope query top src since yesterday 10:00 wh', 'wh'), ['where']);
});

test('options are no words of a question, and values of options are not completed so', async () => {
  assert.deepEqual(await suggested('tunnelscope query --history /var/x --json top src la', 'la'), ['last']);
  assert.deepEqual(await suggested('tunnelscope query top src --hi', '--hi'), []);
  assert.deepEqual(await suggested('tunnelscope query --history d', 'd'), []);
  assert.deepEqual(await suggested('tunnelscope audit la', 'la'), ['last']);
  assert.deepEqual(await suggested('tunnelscope audit --json yest', 'yest'), ['yesterday']);
  assert.deepEqual(await suggested('tunnelscope audit last 1h whe', 'whe'), []);
  assert.deepEqual(await suggested('tunnelscope report d', 'd'), []);
  assert.deepEqual(await suggested('', ''), []);
});

test('what a shell would act on is suggested in quotes only', async () => {
  const bare = await suggested('tunnelscope query top src where vni ', '');
  assert.ok(bare.includes('in') && !bare.some((word) => /[<>!=]/.test(word)), bare.join(' '));
  const quoted = await suggested("tunnelscope query 'top src where vni ", "'top src where vni ");
  assert.ok(quoted.includes('top src where vni >='), quoted.join());
});

test('values are those that the history saw lately', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-seen-'));
  try {
    const store = await DuckDbStore.open({ path: join(directory, 'history.duckdb') });
    const record = (vni: number, octets: number) => ({
      tunnel: ['172.16.1.100', '172.16.1.101', vni] as const,
      between: ['10.0.0.1', '10.0.0.2'] as const,
      octets,
      packets: 1,
    });
    await store.commit([batchOf([record(4711, 100), record(4712, 900)], { startMs: Date.now() - 60_000 })]);
    await store.close();
    const line = `tunnelscope query --history ${directory} top src where vni in 47`;
    assert.deepEqual(await suggested(line, '47', askSeen), ['4712', '4711']);
    assert.deepEqual(
      await suggested(`tunnelscope query --history ${directory}/no top src where vni 47`, '47', askSeen),
      [],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
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
