/**
 * Runs test files in groups, as one run with one closing account: first those that may run beside each other, last, one at a
 * time, those that load the machine, measure time or count every packet on it.
 */
import { once } from 'node:events';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** The machine has two cores where it is smallest. */
const BESIDE = 2;
/** Files told at the end with the time they took. */
const SLOWEST = 12;

/**
 * Tests that neither see nor disturb others: bytes in, bytes out, test runs of programs, other machines. The first takes
 * longest, so that the rest runs beside it.
 */
const PURE: readonly RegExp[] = [
  /^test\/vm\.test\.ts$/,
  /^test\/(corpus|two-targets|own-captures|tunnels|read|read-filter|load|doctor|scattered|tcp|sequence|sequence-place)\.test\.ts$/,
  /^test\/(connection-rows|connection-state|connections|measure-kernel|measure-read|filter-document|architecture)\.test\.ts$/,
  /^test\/kernel[a-z-]*\.test\.ts$/,
  /^src\/(?!bpf\/|lab\/|meter\/)/,
  /^tools\//,
  /^web\/src\//,
];

/** Tests that wait more than they work, in namespaces with names of their own: two of them are not in each other's way. */
const APART: readonly RegExp[] = [
  /^test\/(lab-(?!truth)|vnet-(?!gateway))[a-z-]*\.test\.ts$/,
  /^web\/page-[a-z-]+\.test\.ts$/,
];

/** node:test's account of a run, word by word in its order. */
const ACCOUNT = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'] as const;

/** Splits files into groups, in the order they run, with how many of each run at a time. */
export function groupsOf(
  files: readonly string[],
): { readonly files: readonly string[]; readonly atATime: number }[] {
  const fitting = (patterns: readonly RegExp[]): string[] =>
    patterns.flatMap((pattern) => files.filter((file) => pattern.test(file)));
  const pure = fitting(PURE);
  const apart = fitting(APART);
  const known = new Set([...pure, ...apart]);
  return [
    { files: pure, atATime: BESIDE },
    { files: apart, atATime: BESIDE },
    { files: files.filter((file) => !known.has(file)), atATime: 1 },
  ].filter((group) => group.files.length > 0);
}

/** Runs the files, and prints what comes of it. @param cwd where their names count from @returns whether all went well */
export async function runTests(files: readonly string[], cwd: string): Promise<boolean> {
  const totals = new Map<string, number>(ACCOUNT.map((word) => [word, 0]));
  const took: { readonly file: string; readonly seconds: number }[] = [];
  let isWell = true;
  // biome-ignore lint/suspicious/noExplicitAny: node's stream of tests has no type for what it yields.
  async function* all(): AsyncGenerator<any, void> {
    for (const group of groupsOf(files)) {
      for await (const told of run({ files: [...group.files], concurrency: group.atATime, cwd })) {
        const { type, data } = told;
        if (type === 'test:diagnostic' && data.file === undefined && add(totals, data.message)) continue;
        if (type === 'test:summary') {
          if (data.file === undefined) isWell &&= data.success;
          else took.push({ file: data.file, seconds: data.duration_ms / 1000 });
          continue;
        }
        yield told;
      }
    }
    const slowest = took.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
    const lines = [
      ...slowest.map(
        ({ file, seconds }) => `${seconds.toFixed(0).padStart(4)} s ${file.replace(`${cwd}/`, '')}`,
      ),
      ...ACCOUNT.map((word) => `${word} ${totals.get(word)}`),
    ];
    for (const message of lines)
      yield { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
  }
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  for await (const told of all()) if (!reporter.write(told)) await once(reporter, 'drain');
  reporter.end();
  await once(reporter, 'end');
  return isWell;
}

/** Takes a line of the account in. @returns false where it is none */
function add(totals: Map<string, number>, message: string): boolean {
  const [, word, number] = /^(\w+) ([\d.]+)$/.exec(message) ?? [];
  const before = word === undefined ? undefined : totals.get(word);
  if (before === undefined) return false;
  totals.set(word!, before + Number(number));
  return true;
}
