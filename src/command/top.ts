/** `tunnelscope top`: full-screen and live: of this host, of an instance that runs here, or of an agent elsewhere. */
import { type Command, Option } from 'commander';
import { parseChoice, parseDuration, parseInstance } from '../config/index.ts';
import { MEASURABLES, withColumns } from '../flow/index.ts';
import { WINDOWS } from '../query/index.ts';
import {
  depthOf,
  isUnicode,
  runTop,
  TABS,
  THEMES,
  type TopOptions,
  type TopSource,
  themeOf,
} from '../terminal/index.ts';
import { parseAgentUrl } from './asking.ts';
import { EXIT, Exit } from './exit.ts';
import { addFilterOption, type FilterWords, viewFilterOf } from './filtering.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { readToken } from './serving.ts';
import { stopSignal } from './stopping.ts';
import { agentSource, instanceSource } from './top-agent.ts';
import { withMeter } from './top-meter.ts';

/** The words of `top`. */
interface TopWords extends MeterWords, FilterWords {
  readonly interval: string;
  readonly name?: string;
  readonly connect?: string;
  readonly tokenFile?: string;
  readonly window: string;
  readonly tab: string;
  readonly theme?: string;
  readonly labels?: string;
  readonly measure?: string;
}

/** Adds `top` to the program. */
export function addTopCommand(program: Command): void {
  const command = program
    .command('top')
    .description(
      'who talks to whom, live and full-screen: tunnels, flows, connections, hosts, ledger; ? has the keys',
    );
  addFilterOption(addMeterOptions(command))
    .option('--interval <duration>', 'length of an epoch: how often the figures move', '1s')
    .addOption(
      new Option('--name <instance>', 'do not meter, ask the instance of that name that runs here').conflicts(
        'connect',
      ),
    )
    .option('--connect <url>', 'do not meter, ask the agent at that address; needs no root')
    .option('--token-file <file>', 'file with the access token of that agent')
    .option('--window <window>', `to begin with: ${WINDOWS.join(', ')}`, WINDOWS[0])
    .option('--tab <tab>', `to begin with: ${TABS.join(', ')}`, TABS[0])
    .option('--theme <theme>', `${THEMES.join(', ')} (default: for the ground that the terminal has)`)
    .addOption(
      new Option('--labels <file>', 'file with your own names of addresses, networks and segments').conflicts(
        ['name', 'connect'],
      ),
    )
    .addOption(
      new Option(
        '--measure <list>',
        `what is measured of flows beside connections: ${withColumns(MEASURABLES).join(', ')}`,
      ).conflicts(['name', 'connect']),
    )
    .action(top);
}

async function top(words: TopWords): Promise<void> {
  const { stdin, stdout, env } = process;
  const start: TopOptions['start'] = {
    filter: words.filter ?? '',
    window: parseChoice('--window', words.window, WINDOWS),
    tab: parseChoice('--tab', words.tab, TABS),
    theme: words.theme === undefined ? themeOf(env) : parseChoice('--theme', words.theme, THEMES),
    isThemeChosen: words.theme !== undefined,
  };
  viewFilterOf(words);
  const intervalMs = parseDuration('--interval', words.interval);
  const config = meterConfig(words, intervalMs);
  const measured = (words.measure?.split(',') ?? []).map((each) =>
    parseChoice('--measure', each.trim(), withColumns(MEASURABLES)),
  );
  if (!stdin.isTTY || !stdout.isTTY)
    throw new Exit(
      EXIT.usage,
      'top needs a terminal for its keys and its screen; "tunnelscope report" prints the same into files and pipes.',
    );
  using stopping = stopSignal();
  const { signal } = stopping;
  const show = (source: TopSource): Promise<void> => {
    const end = new AbortController();
    const hangUp = (): void => end.abort();
    process.on('SIGHUP', hangUp);
    return runTop({
      source,
      place: {
        input: stdin,
        output: stdout,
        isAsked: env.TERM !== 'linux',
        isUnicode: isUnicode(env),
      },
      depth: depthOf(env),
      start,
      signal: AbortSignal.any([signal, end.signal]),
    }).finally(() => process.off('SIGHUP', hangUp));
  };
  const token = words.tokenFile === undefined ? undefined : readToken(words.tokenFile);
  if (words.connect !== undefined)
    return show(await agentSource({ url: parseAgentUrl('--connect', words.connect), token }, signal));
  if (words.name !== undefined)
    return show(await instanceSource(parseInstance('--name', words.name), token, signal));
  await withMeter({ config, measured, labels: words.labels }, signal, show);
}
