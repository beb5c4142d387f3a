/**
 * Runs test files in groups, as one run with one closing account: first those that may run beside each other, last, one at a
 * time, those that load the machine, measure time or count every packet on it.
 *
 * Real devices, processes and clocks on a machine that others use too: a file that fails runs once more at the end, alone. What
 * passes only then is named, with what it said the first time; what is wrong fails twice.
 */
import { once } from 'node:events';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** The machine has two cores where it is smallest. */
const BESIDE = 2;
/** Of those that wait most of the time. */
const WAITING_BESIDE = 3;
/** Files that may run once more: where more of them fail, it is not the machine. */
const MOST_AGAIN = 3;
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

/** Tests that wait more than they work, in namespaces with names of their own: some of them are not in each other's way. The
 * first takes longest. */
const APART: readonly RegExp[] = [
  /^test\/documents\.test\.ts$/,
  /^test\/(lab-(?!truth)|vnet-(?!gateway))[a-z-]*\.test\.ts$/,
  /^test\/(api-document|connections-api|export-command|live-questions|history-|query-|guides|daemon|names|alerts|cli|service|deploy|configuration-document|meter-pins|prometheus)[a-z-]*\.test\.ts$/,
  /^(web\/(page|past)[a-z-]*|test\/top)\.test\.ts$/,
];

/** node:test's account of a run, by its words in their order, and what of a file's summary each adds up. */
const ACCOUNT = {
  tests: 'tests',
  suites: 'suites',
  pass: 'passed',
  fail: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  todo: 'todo',
} as const;

/** What node's stream of tests yields. */
interface Told {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: node has no type for it.
  readonly data: any;
}

/** What one run of a file told, all of it. */
interface FileRun {
  readonly file: string;
  readonly told: readonly Told[];
  readonly isWell: boolean;
  readonly seconds: number;
  readonly counts: Readonly<Record<(typeof ACCOUNT)[keyof typeof ACCOUNT], number>>;
}

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
    { files: apart, atATime: WAITING_BESIDE },
    { files: files.filter((file) => !known.has(file)), atATime: 1 },
  ].filter((group) => group.files.length > 0);
}

/** Runs the files, and prints what comes of it. @param cwd where their names count from @returns whether all went well */
export async function runTests(files: readonly string[], cwd: string): Promise<boolean> {
  const startMs = performance.now();
  const done: FileRun[] = [];
  const again: FileRun[] = [];
  async function* all(): AsyncGenerator<Told, void> {
    for (const group of groupsOf(files))
      for await (const each of runFiles(group.files, { atATime: group.atATime, cwd })) {
        if (each.isWell || again.length === MOST_AGAIN) {
          done.push(each);
          yield* each.told;
        } else {
          again.push(each);
          yield line(`${nameOf(each.file)} failed and runs once more at the end: ${whyOf(each)}`);
        }
      }
    for (const { file } of again)
      for await (const each of runFiles([file], { atATime: 1, cwd })) {
        done.push(each);
        yield* each.told;
      }
    for (const first of again)
      if (done.some(({ file, isWell }) => isWell && file === first.file))
        yield line(`passed only when run once more: ${nameOf(first.file)}; before: ${whyOf(first)}`);
    for (const { file, seconds } of done.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
      yield line(`${seconds.toFixed(0).padStart(4)} s ${nameOf(file)}`);
    for (const [word, count] of Object.entries(ACCOUNT))
      yield line(`${word} ${done.reduce((sum, { counts }) => sum + counts[count], 0)}`);
    yield line(`duration_ms ${performance.now() - startMs}`);
  }
  const nameOf = (file: string): string => file.replace(`${cwd}/`, '');
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  for await (const told of all()) if (!reporter.write(told)) await once(reporter, 'drain');
  reporter.end();
  await once(reporter, 'end');
  return done.every(({ isWell }) => isWell);
}

/** Runs files, so many at a time, and gives what each told when it has ended. */
async function* runFiles(
  files: readonly string[],
  { atATime, cwd }: { readonly atATime: number; readonly cwd: string },
): AsyncGenerator<FileRun, void> {
  const told = new Map<string, Told[]>();
  for await (const each of run({ files: [...files], concurrency: atATime, cwd }) as AsyncIterable<Told>) {
    const { type, data } = each;
    if (data?.file === undefined) continue; // of the run as a whole: added up by us
    if (type !== 'test:summary') {
      told.set(data.file, [...(told.get(data.file) ?? []), each]);
      continue;
    }
    const { file, success: isWell, duration_ms: durationMs, counts } = data;
    yield { file, told: told.get(file) ?? [], isWell, seconds: durationMs / 1000, counts };
    told.delete(file);
  }
  // A process that died before its summary.
  for (const [file, rest] of told) {
    const failed = rest.filter(({ type }) => type === 'test:fail').length;
    if (failed === 0) continue;
    const counts = { tests: failed, suites: 0, passed: 0, failed, cancelled: 0, skipped: 0, todo: 0 };
    yield { file, told: rest, isWell: false, seconds: 0, counts };
  }
}

function line(message: string): Told {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
}

/** Lines of what a test said that are told. */
const LINES_OF_WHY = 40;

/** The first test that failed, and what it said. */
function whyOf({ told }: FileRun): string {
  const failed = told.find(
    ({ type, data }) => type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed',
  );
  if (failed === undefined) return 'its process failed';
  const { name, details } = failed.data;
  const error = details.error?.cause ?? details.error;
  const said = String(error?.message ?? error).split('\n');
  return `"${name}": ${said.slice(0, LINES_OF_WHY).join('\n')}`;
}
