/** `tunnelscope doctor`: whether metering can run here, fact by fact. */
import type { Command } from 'commander';
import { examine, formatFacts, missing } from '../doctor.ts';
import { EXIT } from './exit.ts';

/** Adds `doctor` to the program. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has of what metering needs, fact by fact')
    .option('--json', 'as JSON')
    .action((words: { readonly json?: true }) => {
      const facts = examine();
      process.stdout.write(`${words.json ? JSON.stringify(facts) : formatFacts(facts)}\n`);
      if (missing(facts).length > 0) process.exitCode = EXIT.missing;
    });
}
