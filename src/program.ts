/** The command line: words to commands, errors to exit codes. */
import { Command, CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './command/exit.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes:
  0  all went well; also after Ctrl-C or SIGTERM
  1  something failed while running; of "audit": something is unexplained; of "start": it runs already
  2  the command line was wrong; nothing was done
  3  this machine lacks something ("tunnelscope doctor" says what); nothing was done
  Of "status": 0 it runs, 3 it does not, 4 that cannot be found out`;

/** Adds commands to a program. */
type Add = (program: Command) => void;

/** Commands in the order of the help. The modules behind one are loaded when it is asked for: a start takes half as long. */
const COMMANDS: readonly { readonly names: readonly string[]; readonly load: () => Promise<Add> }[] = [
  { names: ['monitor'], load: async () => (await import('./command/monitor.ts')).addMonitorCommand },
  { names: ['start'], load: async () => (await import('./command/start.ts')).addStartCommand },
  {
    names: ['stop', 'reload', 'rules'],
    load: async () => (await import('./command/steering.ts')).addSteeringCommands,
  },
  { names: ['status'], load: async () => (await import('./command/status.ts')).addStatusCommand },
  { names: ['logs'], load: async () => (await import('./command/logs.ts')).addLogsCommand },
  { names: ['install-service'], load: async () => (await import('./command/service.ts')).addServiceCommand },
  { names: ['config'], load: async () => (await import('./command/config.ts')).addConfigCommand },
  { names: ['top'], load: async () => (await import('./command/top.ts')).addTopCommand },
  { names: ['report'], load: async () => (await import('./command/report.ts')).addReportCommand },
  { names: ['measure'], load: async () => (await import('./command/measure.ts')).addMeasureCommand },
  { names: ['read'], load: async () => (await import('./command/read.ts')).addReadCommand },
  { names: ['query'], load: async () => (await import('./command/query.ts')).addQueryCommand },
  { names: ['export'], load: async () => (await import('./command/export.ts')).addExportCommand },
  { names: ['audit'], load: async () => (await import('./command/audit.ts')).addAuditCommand },
  { names: ['lab', 'demo'], load: async () => (await import('./command/lab.ts')).addLabCommands },
  { names: ['vnet'], load: async () => (await import('./command/vnet.ts')).addVnetCommands },
  { names: ['doctor'], load: async () => (await import('./command/doctor.ts')).addDoctorCommand },
];

/**
 * The command line, not yet run.
 *
 * @param name of the command that is wanted; with another word, or none, all are there, as help and completion want them
 */
export async function createProgram(name?: string): Promise<Command> {
  const program = new Command('tunnelscope')
    .description('Shows who talks to whom over a network, inside and outside the tunnels, exactly.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('("--help" shows what there is)')
    .exitOverride();
  const wanted = COMMANDS.find(({ names }) => name !== undefined && names.includes(name));
  for (const add of await Promise.all((wanted ? [wanted] : COMMANDS).map(({ load }) => load()))) add(program);
  if (!wanted) (await import('./command/completion.ts')).addCompletionCommand(program);
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
    await (await createProgram(words[2])).parseAsync(words);
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
