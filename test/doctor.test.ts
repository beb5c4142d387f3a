/** What doctor says of this machine, against what is tried here: run in other kernels too, where the answers differ. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { type MeterError, Sockets } from '../src/meter/index.ts';
import { meterDuring, sumOf } from './metering.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
/** Of statfs(2) on a BPF file system (include/uapi/linux/magic.h). */
const BPF_FS_MAGIC = 0xcafe4a11;

/** doctor's lines: whether each fact is fine, and the rest of its line. It fails when anything needed is missing. */
function doctor(): Map<string, { readonly mark: string; readonly rest: string }> {
  const text = execFileSync(process.execPath, [CLI, 'doctor'], { encoding: 'utf8' });
  const lines = text.split('\n').flatMap((line) => {
    const [, mark, name, rest] = /^(ok|MISSING|note) +(\S+) +(.*)$/.exec(line) ?? [];
    return mark === undefined ? [] : [[name!, { mark, rest: rest! }] as const];
  });
  return new Map(lines);
}

/** Tries it. */
function canWalkSockets(): boolean {
  try {
    Sockets.open(16)[Symbol.dispose]();
    return true;
  } catch (error) {
    assert.equal((error as MeterError).code, 'METER_SOCKETS');
    return false;
  }
}

test('doctor finds this kernel fit, and says of its features what trying them gives', () => {
  const facts = doctor();
  const mark = (name: string): string | undefined => facts.get(name)?.mark;
  const expected = (ok: boolean): string => (ok ? 'ok' : 'note');
  for (const name of ['kernel', 'libbpf.so.1', 'iproute2', 'CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'])
    assert.equal(mark(name), 'ok', name);
  assert.ok(facts.get('kernel')!.rest.includes(release()), facts.get('kernel')!.rest);
  assert.equal(mark('tcx'), expected(noTcx === false), 'tcx');
  assert.equal(mark('BTF'), expected(existsSync('/sys/kernel/btf/vmlinux')), 'BTF');
  assert.equal(mark('sockets'), expected(canWalkSockets()), 'sockets');
  assert.equal(mark('bpffs'), expected(statfsSync('/sys/fs/bpf').type === BPF_FS_MAGIC), 'bpffs');
});

test('the meter takes tcx where doctor says it is there, else clsact filters, and counts by them', async (t) => {
  const namespace = 'tsdoctor';
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  const filters = (): string =>
    ip('netns', 'exec', namespace, 'tc', 'filter', 'show', 'dev', 'lo', 'ingress');
  if (existsSync(`/run/netns/${namespace}`)) ip('netns', 'del', namespace);
  ip('netns', 'add', namespace);
  t.after(() => ip('netns', 'del', namespace));
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  const hasTcx = doctor().get('tcx')!.mark === 'ok';
  const interfaces = ['lo'];
  const metered = await meterDuring({ namespace, interfaces, hook: 'auto' }, async () => {
    assert.equal(/ts_ingress/.test(filters()), !hasTcx);
    ip('netns', 'exec', namespace, 'ping', '-q', '-c', '5', '-i', '0.02', '127.0.0.1');
  });
  assert.equal(filters(), '', 'nothing stays');
  const { packets } = sumOf(metered.records, { source: '127.0.0.1', direction: 'ingress' });
  assert.equal(packets, 10, 'five requests and five replies');
});
