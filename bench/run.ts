/**
 * Runs benchmarks and writes what they found to bench/results/.
 *
 *     node bench/run.ts [kernel|measure|drain|agent|throughput|memory|page|read|audit|rules|sockets|bridge|vnet|gateway|store …] [--quick]
 *
 * It needs root, clang and gcc. A missed target is a finding, not a failure: the exit code tells only whether it ran.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { agent } from './agent.ts';
import { audit } from './audit.ts';
import { bridge } from './bridge.ts';
import { drain } from './drain.ts';
import { type Benchmark, type Figure, formatFigures, isHeld } from './figure.ts';
import { gateway } from './gateway.ts';
import { kernel } from './kernel.ts';
import { type Circumstances, circumstances } from './machine.ts';
import { measure } from './measure.ts';
import { memory } from './memory.ts';
import { page } from './page.ts';
import { read } from './read.ts';
import { rules } from './rules.ts';
import { sockets } from './sockets.ts';
import { store } from './store.ts';
import { throughput } from './throughput.ts';
import { vnet } from './vnet.ts';

const BENCHMARKS: readonly Benchmark[] = [
  kernel,
  measure,
  drain,
  agent,
  throughput,
  memory,
  page,
  read,
  audit,
  rules,
  sockets,
  bridge,
  vnet,
  gateway,
  store,
];
const RESULTS = new URL('results/', import.meta.url);

async function main(words: readonly string[]): Promise<void> {
  const quick = words.includes('--quick');
  const names = words.filter((word) => word !== '--quick');
  const unknown = names.filter((name) => !BENCHMARKS.some((each) => each.name === name));
  if (unknown.length > 0) {
    console.error(
      `there is no benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.map((each) => each.name).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }
  mkdirSync(RESULTS, { recursive: true });
  const chosen = BENCHMARKS.filter((each) => names.length === 0 || names.includes(each.name));
  for (const benchmark of chosen) await runOne(benchmark, quick);
}

async function runOne(benchmark: Benchmark, quick: boolean): Promise<void> {
  const command = `node bench/run.ts ${benchmark.name}${quick ? ' --quick' : ''}`;
  const about = circumstances(command);
  console.log(`\n## ${benchmark.name}\n`);
  const started = performance.now();
  const figures = await benchmark.run({ quick, progress: (line) => console.error(`  ${line}`) });
  console.error(`  ${((performance.now() - started) / 1000).toFixed(0)} s`);
  console.log(formatFigures(figures));
  const judged = figures.map((each) => ({ ...each, held: isHeld(each) }));
  const json = { benchmark: benchmark.name, ...about, method: benchmark.method, figures: judged };
  writeFileSync(new URL(`${benchmark.name}.json`, RESULTS), `${JSON.stringify(json, undefined, 2)}\n`);
  writeFileSync(new URL(`${benchmark.name}.md`, RESULTS), report(benchmark, about, figures));
}

function report(benchmark: Benchmark, about: Circumstances, figures: readonly Figure[]): string {
  const commit = about.commit ?? 'none yet';
  const notes = figures.flatMap(({ name, note }) => (note === undefined ? [] : [`- ${name}: ${note}`]));
  return [
    `# Benchmark: ${benchmark.name}`,
    '',
    `    ${about.command}`,
    '',
    `- date: ${about.date}`,
    `- machine: Linux ${about.kernel}, ${about.cpu}, ${about.cores} cores, load ${about.load} before the start`,
    `- Node ${about.node}, commit ${commit}${about.dirty ? ', tree with changes' : ''}`,
    '',
    benchmark.method,
    '',
    formatFigures(figures),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}

await main(process.argv.slice(2));
