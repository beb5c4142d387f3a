/** `tunnelscope stop`, `reload` and `rules`: what is asked of instances that run. */
import { type Command, Option } from 'commander';
import { parseInstance } from '../config/index.ts';
import { askInstance, instanceNames, placeOf, RefusedError } from '../daemon/index.ts';
import { EXIT, Exit } from './exit.ts';
import { leftInKernel, purge } from './purging.ts';
import { rulesOf } from './ruling.ts';
import { type StopWords, stopInstances } from './stop.ts';

/** Name of the instance where none is named. */
export const DEFAULT_INSTANCE = 'default';

/** Rules hold from the next epoch on, and an epoch may be long. */
const RULING_MS = 3_700_000;

/** Adds `stop`, `reload` and `rules` to the program. */
export function addSteeringCommands(program: Command): void {
  program
    .command('stop')
    .description('end instances in order: a last drain, all written and closed')
    .argument('[name...]', 'of the instances', [DEFAULT_INSTANCE])
    .option('--all', 'every instance that runs here')
    .option('--timeout <duration>', 'what does not end by then is killed', '20s')
    .option('--keep', 'the kernel counts on, until the instance is started again with its history')
    .addOption(
      new Option('--purge', 'take away, unread, what the kernel still counts for its history').conflicts(
        'keep',
      ),
    )
    .action(stop);
  program
    .command('reload')
    .description('have an instance read its configuration file again; what can change while metering changes')
    .argument('[name]', 'of the instance', DEFAULT_INSTANCE)
    .action(reload);
  program
    .command('rules')
    .description('print the rules of an instance, or have other ones hold from the next epoch on')
    .argument('[name]', 'of the instance', DEFAULT_INSTANCE)
    .option(
      '--rule <rule>',
      'hold this one in place of those of flags and configuration, until it is reloaded; several by repeating',
      (word: string, before: string[] = []) => [...before, word],
    )
    .option('--clear', 'hold none: everything is kept')
    .option('--json', 'as JSON')
    .action(rules);
}

async function stop(
  named: readonly string[],
  { purge: isPurged, ...words }: StopWords & { readonly purge?: true },
): Promise<void> {
  if (!isPurged) return stopInstances('metering', named, { words });
  const left = words.all ? (await leftInKernel()).map(({ label }) => label) : [];
  const names = words.all ? [...new Set([...instanceNames(), ...left])] : named;
  const { timeout } = words;
  await stopInstances('metering', names, { words: { timeout }, leftover: purge });
}

interface RulesWords {
  readonly rule?: string[];
  readonly clear?: true;
  readonly json?: true;
}

async function rules(named: string, words: RulesWords): Promise<void> {
  const name = parseInstance('NAME', named);
  const next = words.rule ?? (words.clear ? [] : undefined);
  // Mistakes are pointed at here, before anybody is asked.
  if (next) rulesOf({ rule: next });
  const held = await askInstance(placeOf(name), 'rules', {
    words: { rules: next },
    patienceMs: RULING_MS,
  });
  if (words.json) process.stdout.write(`${JSON.stringify(held)}\n`);
  else {
    const lines = held.rules.length > 0 || held.file !== null ? held.rules : ['No rules: everything is kept'];
    process.stdout.write(
      [...lines, ...(held.file === null ? [] : [`and those of ${held.file}`]), ''].join('\n'),
    );
  }
}

async function reload(named: string): Promise<void> {
  const name = parseInstance('NAME', named);
  try {
    const { changed, waiting } = await askInstance(placeOf(name), 'reload');
    process.stdout.write(changed.length > 0 ? `Changed: ${changed.join(', ')}\n` : 'Nothing changed\n');
    if (waiting.length > 0) process.stdout.write(`In force after a new start: ${waiting.join(', ')}\n`);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const code = error.reason.startsWith('CONFIG_') ? EXIT.usage : EXIT.failed;
    throw new Exit(code, `Reloading "${name}" failed, the old configuration stays: ${error.message}`);
  }
}
