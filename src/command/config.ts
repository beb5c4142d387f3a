/** `tunnelscope config`: is a file right, what does it come to, and what may stand in it. */
import type { Command } from 'commander';
import { formatConfiguration, jsonSchema, readConfigFile, resolveConfiguration } from '../config/index.ts';
import { type ConfigWords, configurationOf, givenWords } from './configuring.ts';
import { addMonitorOptions } from './monitor.ts';

interface PrintWords extends ConfigWords {
  readonly origin?: true;
}

/** Adds `config` with its commands to the program. */
export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .description('the configuration file: check it, print what it comes to');
  config
    .command('check')
    .description('say all that is wrong in a file, with line and column; exit code 2 when something is')
    .argument('<file>', 'tunnelscope.yaml, or a config.json of the reference')
    .action((path: string) => {
      const file = readConfigFile(path);
      resolveConfiguration({ file });
      const kind = file.isLegacy ? "the reference's config.json, as it is" : 'tunnelscope.yaml';
      process.stdout.write(`${path} is right (${kind}).\n`);
    });
  addMonitorOptions(
    config
      .command('print')
      .description('print every value as a file that gives the same: defaults, file, flags')
      .option('--origin', 'say of each value where it came from'),
  ).action((_, command: Command) => {
    const { origin, ...words } = givenWords(command) as PrintWords;
    const resolved = configurationOf(words);
    process.stdout.write(formatConfiguration(resolved, { withOrigins: origin === true }));
  });
  config
    .command('schema')
    .description('print the JSON Schema of the file')
    .action(() => {
      process.stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
    });
}
