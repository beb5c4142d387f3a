import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readExposition } from './exposition.fixture.ts';
import { writeExposition } from './exposition.ts';
import { type OwnCost, ownFamilies } from './own.ts';

const NOTHING: OwnCost = {
  programs: undefined,
  tables: [],
  lagSeconds: undefined,
  cpuSeconds: 1.5,
  residentOctets: 80_000_000,
};

function read(cost: Partial<OwnCost>): Map<string, readonly (readonly [string, number])[]> {
  const { text } = writeExposition(ownFamilies({ ...NOTHING, ...cost }), 'text/plain');
  const found = readExposition(text, 'prometheus');
  return new Map(
    [...found].map(([name, { samples }]) => [
      name,
      samples.map(({ labels, value }) => [Object.values(labels).join(' '), value] as const),
    ]),
  );
}

test('runs and run time of programs are there where the kernel counts them, and not as 0 where it does not', () => {
  const programs = [{ name: 'ts_ingress', runs: 1000n, runTimeNs: 250_000n }];
  const found = read({ programs });
  assert.deepEqual(found.get('tunnelscope_program_runs_total'), [['ts_ingress', 1000]]);
  assert.deepEqual(found.get('tunnelscope_program_run_seconds_total'), [['ts_ingress', 0.00025]]);
  assert.ok(![...read({}).keys()].some((name) => name.includes('program')));
});

test('tables, lag, CPU time and memory', () => {
  const found = read({ tables: [{ name: 'narrow', used: 3, capacity: 16 }], lagSeconds: 0.004 });
  assert.deepEqual(found.get('tunnelscope_table_used'), [['narrow', 3]]);
  assert.deepEqual(found.get('tunnelscope_table_capacity'), [['narrow', 16]]);
  assert.deepEqual(found.get('tunnelscope_epoch_lag_seconds'), [['', 0.004]]);
  assert.deepEqual(found.get('process_cpu_seconds_total'), [['', 1.5]]);
  assert.deepEqual(found.get('process_resident_memory_bytes'), [['', 80_000_000]]);
  assert.ok(!read({}).has('tunnelscope_epoch_lag_seconds'));
});
