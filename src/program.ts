/** The command line: words to commands, errors to exit codes. */
import { Command, CommanderError } from 'commander';
import { VERSION } from './agent.ts';
import { addAuditCommand } from './command/audit.ts';
import { addCompletionCommand } from './command/completion.ts';
import { addConfigCommand } from './command/config.ts';
import { givenWords } from './command/configuring.ts';
import { EXIT, exitCodeOf } from './command/exit.ts';
import { addExportCommand } from './command/export.ts';
import { addLabCommands } from './command/lab.ts';
import { addLogsCommand } from './command/logs.ts';
import { addMeasureCommand } from './command/measure.ts';
import { addMonitorOptions, monitor } from './command/monitor.ts';
import { addQueryCommand } from './command/query.ts';
import { addReadCommand } from './command/read.ts';
import { addReportCommand } from './command/report.ts';
import { addServiceCommand } from './command/service.ts';
import { addStartCommand } from './command/start.ts';
import { addStatusCommand } from './command/status.ts';
import { addSteeringCommands } from './command/steering.ts';
import { addTopCommand } from './command/top.ts';
import { addVnetCommands } from './command/vnet.ts';
import { examine, formatFacts, missing } from './doctor.ts';

const EXIT_CODES = `
Exit codes:
  0  all went well; also after Ctrl-C or SIGTERM
  1  something failed while running; of "audit": something is unexplained; of "start": it runs already
  2  the command line was wrong; nothing was done
  3  this machine lacks something ("tunnelscope doctor" says what); nothing was done
  Of "status": 0 it runs, 3 it does not, 4 that cannot be found out`;

/** The whole command line, not yet run. */
export function createProgram(): Command {
  const program = new Command('tunnelscope')
    .description('Shows who talks to whom over a network, inside and outside the tunnels, exactly.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('("--help" shows what there is)')
    .exitOverride();
  addMonitorOptions(
    program.command('monitor').description('meter this host and serve the page; the main job'),
  ).action((_, command: Command) => monitor(givenWords(command)));
  addStartCommand(program);
  addSteeringCommands(program);
  addStatusCommand(program);
  addLogsCommand(program);
  addServiceCommand(program);
  addConfigCommand(program);
  addTopCommand(program);
  addReportCommand(program);
  addMeasureCommand(program);
  addReadCommand(program);
  addQueryCommand(program);
  addExportCommand(program);
  addAuditCommand(program);
  addLabCommands(program);
  addVnetCommands(program);
  program
    .command('doctor')
    .description('what this machine has of what metering needs, fact by fact')
    .option('--json', 'as JSON')
    .action((words: { readonly json?: true }) => {
      const facts = examine();
      process.stdout.write(`${words.json ? JSON.stringify(facts) : formatFacts(facts)}\n`);
      if (missing(facts).length > 0) process.exitCode = EXIT.missing;
    });
  addCompletionCommand(program);
  return program;
}

/** Runs the command line and gives the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  // A reader that went away ("| head") is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  try {
    await createProgram().parseAsync(words);
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Error && error.name === 'AbortError') return EXIT.ok;
    process.stderr.write(`tunnelscope: ${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env.TUNNELSCOPE_TRACE !== undefined && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}
