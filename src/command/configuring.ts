/** `--config` and the flags of monitor and start: what was really given becomes the upper layer of the configuration. */
import { resolve as absolute } from 'node:path';
import type { Command } from 'commander';
import {
  type FlagLayer,
  mergeTrees,
  parseTunnelPorts,
  type Resolved,
  readConfigFile,
  resolveConfiguration,
  type Tree,
} from '../config/index.ts';
import type { MetricsWords } from './metrics.ts';
import type { MeterWords } from './options.ts';
import { rulesOf } from './ruling.ts';
import type { ServeWords } from './serving.ts';

/** The words that the configuration has keys for, and the file itself. Only those that were given. */
export interface ConfigWords extends Partial<MeterWords>, Partial<ServeWords>, Partial<MetricsWords> {
  readonly config?: string;
  readonly interval?: string;
  readonly jsonDir?: string;
  readonly jsonPeriod?: string;
  readonly dataLog?: string;
}

type Flag = Exclude<keyof ConfigWords, 'config'>;

/** Each flag with its name, its key, and what stands there for its words. */
const FLAGS: {
  readonly [Name in Flag]: {
    readonly flag: string;
    readonly path: readonly string[];
    readonly value?: (words: NonNullable<ConfigWords[Name]>) => unknown;
  };
} = {
  iface: {
    flag: '--iface',
    path: ['interfaces'],
    value: (words) => words.flatMap((word) => word.split(',')).map((word) => word.trim()),
  },
  netns: { flag: '--netns', path: ['namespace'] },
  interval: { flag: '--interval', path: ['interval'] },
  flows: { flag: '--flows', path: ['flows'] },
  hook: { flag: '--hook', path: ['hook'] },
  tunnelPorts: {
    flag: '--tunnel-ports',
    path: ['ports'],
    value: (words) => parseTunnelPorts('--tunnel-ports', words),
  },
  rule: { flag: '--rule', path: ['rules'] },
  rulesFile: { flag: '--rules-file', path: ['rulesFile'], value: (word) => absolute(word) },
  measure: { flag: '--measure', path: ['measure', 'what'], value: wordsOf },
  measured: { flag: '--measured', path: ['measure', 'flows'] },
  metricsLabels: { flag: '--metrics-labels', path: ['metrics', 'labels'], value: wordsOf },
  metricsSeries: { flag: '--metrics-series', path: ['metrics', 'series'] },
  metricsIdle: { flag: '--metrics-idle', path: ['metrics', 'idle'] },
  legacyMetrics: { flag: '--legacy-metrics', path: ['metrics', 'legacy'] },
  runTimeStatistics: { flag: '--run-time-statistics', path: ['metrics', 'runTime'] },
  listen: { flag: '--listen', path: ['serve', 'listen'] },
  tokenFile: { flag: '--token-file', path: ['serve', 'tokenFile'], value: (word) => absolute(word) },
  adminTokenFile: {
    flag: '--admin-token-file',
    path: ['serve', 'adminTokenFile'],
    value: (word) => absolute(word),
  },
  auth: { flag: '--no-auth', path: ['serve', 'auth'] },
  allowHost: { flag: '--allow-host', path: ['serve', 'allowHosts'] },
  jsonDir: { flag: '--json-dir', path: ['json', 'directory'], value: (word) => absolute(word) },
  jsonPeriod: { flag: '--json-period', path: ['json', 'period'] },
  dataLog: { flag: '--data-log', path: ['log', 'data', 'file'], value: (word) => absolute(word) },
};

/** Comma-separated; nothing for none. */
function wordsOf(text: string): string[] {
  return text === '' ? [] : text.split(',').map((word) => word.trim());
}

/** The words that the user gave: commander adds its defaults, which must not override a file. */
export function givenWords(command: Command): ConfigWords {
  const given = Object.entries(command.opts()).filter(
    ([name]) => command.getOptionValueSource(name) === 'cli',
  );
  return Object.fromEntries(given);
}

/** Adds `--config`. */
export function addConfigOption(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    'read tunnelscope.yaml, or a config.json of the reference; flags override it',
  );
}

/** Where a configuration comes from; reading it again is possible from anywhere, for names of files are absolute. */
export interface ConfigSource {
  /** The file; undefined when there are flags only. */
  readonly path: string | undefined;
  /** Reads the file anew. @throws ConfigError, ConfigFileError */
  read(): Resolved;
}

/** The source that the words name. */
export function configSource(words: ConfigWords): ConfigSource {
  const path = words.config === undefined ? undefined : absolute(words.config);
  // Where a rule is wrong on the command line, it is pointed at.
  rulesOf({ ...(words.rule && { rule: words.rule }) });
  const flags = flagLayer(words);
  return {
    path,
    read: () => resolveConfiguration({ file: path === undefined ? undefined : readConfigFile(path), flags }),
  };
}

/** Defaults, file and flags as one. @throws ConfigError, ConfigFileError */
export function configurationOf(words: ConfigWords): Resolved {
  return configSource(words).read();
}

function flagLayer(words: ConfigWords): FlagLayer {
  const names: Record<string, string> = {};
  let tree: Tree = {};
  for (const [name, { flag, path, value }] of Object.entries(FLAGS)) {
    const word = words[name as Flag];
    if (word === undefined) continue;
    names[path.join('.')] = flag;
    // Name and value are of one entry of the table, which the type of a union of names cannot say.
    const given = value ? (value as (word: unknown) => unknown)(word) : word;
    tree = mergeTrees(tree, path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), given) as Tree);
  }
  return { tree, names };
}
