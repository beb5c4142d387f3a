/** What doctor says of this machine, against what is tried here: run in other kernels too, where the answers differ. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';

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

test('doctor finds this kernel fit, and says of its features what trying them gives', () => {
  const facts = doctor();
  const mark = (name: string): string | undefined => facts.get(name)?.mark;
  const expected = (ok: boolean): string => (ok ? 'ok' : 'note');
  for (const name of ['kernel', 'libbpf.so.1', 'iproute2', 'CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'])
    assert.equal(mark(name), 'ok', name);
  assert.ok(facts.get('kernel')!.rest.includes(release()), facts.get('kernel')!.rest);
  assert.equal(mark('tcx'), expected(noTcx === false), 'tcx');
  assert.equal(mark('BTF'), expected(existsSync('/sys/kernel/btf/vmlinux')), 'BTF');
  assert.equal(mark('bpffs'), expected(statfsSync('/sys/fs/bpf').type === BPF_FS_MAGIC), 'bpffs');
});
