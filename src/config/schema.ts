/**
 * The one configuration, as a schema: from it come the type, the defaults, the JSON Schema and the check of what is read.
 * Each value is written as on the command line (`1s`, `10MB`); what it means is in the types of the output.
 */
import { z } from 'zod';
import { MEASURABLES, type Measurable, PORT_NAMES, type PortName } from '../flow/index.ts';
import type { Listen } from '../listen.ts';
import { LABEL_GROUP_NAMES, type LabelGroup } from '../metrics/index.ts';
import { type Filter, FilterError, RuleError, readRule } from '../query/index.ts';
import { AlertsSchema } from './alert.ts';
import { DEFAULT } from './default.ts';
import { ConfigError } from './error.ts';
import {
  parseAddressAndPort,
  parseAge,
  parseCount,
  parseDuration,
  parseGroup,
  parseHostName,
  parseInstance,
  parseInterface,
  parseNamespace,
  parsePattern,
  parsePeriod,
  parseSize,
} from './scalar.ts';
import { choice, list, scalar, section } from './value-schema.ts';

function count(min: number, max: number) {
  return scalar('a whole number', (field, text) => parseCount(field, text, { min, max }));
}

const duration = () => scalar('a duration such as 5s, 500ms or 1m30s', parseDuration);
const file = () => z.string({ error: 'the name of a file' }).min(1, 'the name of a file');
const flag = () => z.boolean({ error: 'true or false' });
const words = <Word extends string>(known: readonly Word[]) =>
  list(z.enum(known as readonly [Word, ...Word[]], { error: `one of ${known.join(', ')}` }));
/** A rule that was understood, and as it was written. */
export interface Rule {
  readonly text: string;
  readonly filter: Filter;
}

const rule = z.string({ error: 'a rule in quotes' }).transform((text, context): Rule => {
  try {
    return { text, filter: readRule(text, 'rule') };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const fault = error.cause;
    const isPlaced = fault instanceof FilterError;
    context.addIssue({
      code: 'custom',
      message: (fault as Error).message.replace(/^column \d+: /, ''),
      input: text,
      params: { from: isPlaced ? fault.column - 1 : 0 },
    });
    return z.NEVER;
  }
});

const portList = list(
  scalar('a port', (field, text) => parseCount(field, text, { min: 1, max: 65_535 })),
).describe('UDP destination ports that announce this tunnel; an empty list switches it off');

/** Where to listen, or `none`: no page, no API. */
function parseListenOrNone(field: string, text: string): Listen | 'none' {
  return text === 'none' ? 'none' : parseAddressAndPort(field, text);
}

const rotated = (what: string) => ({
  size: scalar('a size such as 10MB', parseSize)
    .prefault('10MB')
    .describe(`a new file of ${what} is begun when the present one is larger`),
  count: count(1, 1000).prefault(5).describe('so many files are kept, the present one included'),
});

/** A pattern of 32 bits; YAML reads 0xE7A5C318 without quotes as a number. */
function parsePatternOrNumber(field: string, text: string): number {
  return parsePattern(field, /^\d+$/.test(text) ? `0x${Number(text).toString(16)}` : text);
}

/** What is measured. */
export const DISPLAYS = ['jitter', 'throughput', 'goodput', 'sequence'] as const;

const measure = section({
  what: words<Measurable>(MEASURABLES)
    .prefault([])
    .describe('what is measured of flows for the metrics, beside what the data log needs'),
  flows: count(16, 1_048_576)
    .prefault(DEFAULT.measured)
    .describe('flows (both ways) followed at a time for that'),
  idle: section({
    tcp: duration().prefault('5m'),
    udp: duration().prefault('1m'),
    other: duration().prefault('30s'),
  })
    .prefault({})
    .describe('how long after its last packet a connection is over that nobody closed'),
  sequence: section({
    pattern: scalar('32 bits such as 0xE7A5C318', parsePatternOrNumber)
      .optional()
      .describe('32 bits in the payload of UDP and ICMP; the number is at `offset` from where they begin'),
    offset: count(0, 65_000)
      .optional()
      .describe(
        'octets from the payload (or the pattern) to the 32-bit number; without it nothing is looked for',
      ),
    threshold: count(0, 1_000_000)
      .prefault(2)
      .describe('a step of more than this is a big error, of less a small one'),
  })
    .prefault({})
    .describe('sequence numbers in payloads'),
  gaps: section({
    nominal: scalar('a duration such as 20ms', parseGap)
      .prefault('0ms')
      .describe("the sender's spacing, taken from each gap"),
    reset: scalar('a duration such as 2s', parseGap)
      .prefault('2s')
      .describe('a gap of this or more: the flow had stopped, jitter begins anew'),
  })
    .prefault({})
    .describe('times between packets'),
  display: list(choice(DISPLAYS))
    .prefault([...DISPLAYS])
    .describe('which measurements have values in the data log'),
});

/** A time between packets: unlike an interval it may be nothing. */
function parseGap(field: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  const ms = Number(number) * (unit === 's' ? 1000 : 1);
  if (number === undefined || ms > 3_600_000) throw new ConfigError(field, text, 'from 0ms to 3600s');
  return ms;
}

const age = (usual: string, what: string) =>
  scalar('an age such as 24h or 14d', parseAge).prefault(usual).describe(what);
const size = (usual: string, what: string) =>
  scalar('a size such as 10GB', parseSize).prefault(usual).describe(what);

const retention = section({
  raw: age('24h', 'how long rows of the interval are kept'),
  minute: age('14d', 'how long rows of a minute are kept'),
  hour: age('400d', 'how long rows of an hour are kept'),
}).superRefine(({ raw, minute, hour }, context) => {
  const wrong = minute < raw ? 'minute' : hour < minute ? 'hour' : undefined;
  if (wrong === undefined) return;
  const finer = wrong === 'minute' ? 'raw' : 'minute';
  context.addIssue({ code: 'custom', path: [wrong], message: `not less than retention.${finer}` });
});

const history = section({
  directory: file().optional().describe('keep what is metered there; without it nothing is kept'),
  interval: scalar('a period such as 10s', parsePeriod)
    .prefault('10s')
    .describe('rows are sums of so long; a minute is a multiple of it'),
  retention: retention.prefault({}).describe('what is older goes'),
  size: size('10GB', 'what the store may take of the disk: the oldest goes when it would take more'),
  spool: size('1GB', 'what may wait for a store that takes nothing'),
});

const names = section({
  hosts: z
    .union([file(), z.literal(false)], { error: 'the name of a file, or false' })
    .prefault('/etc/hosts')
    .describe(
      'file with names of addresses as hosts(5) has it, read again when it changes; false reads none',
    ),
  labels: file()
    .optional()
    .describe('file with your own names of addresses, networks and segments; read again when it changes'),
  dns: flag()
    .prefault(false)
    .describe('also ask DNS, in the background, for addresses that somebody looks at'),
});

/** All there is to set. An empty file is a whole configuration. */
export const ConfigurationSchema = section({
  name: scalar('a name', parseInstance).prefault('default').describe('of the instance, for status, stop, …'),
  interfaces: list(scalar('an interface name or glob', parseInterface))
    .prefault([])
    .describe(
      'names or globs to meter; +NAME adds to the default choice (driver-bound ones and the default route)',
    ),
  namespace: scalar('the name of a network namespace', parseNamespace)
    .optional()
    .describe('meter inside this network namespace (of "ip netns")'),
  interval: duration()
    .prefault(DEFAULT.interval)
    .describe('length of an epoch: how often the kernel is drained and the views move'),
  flows: count(16, 16_777_216)
    .prefault(DEFAULT.flows)
    .describe('flows the kernel keeps per epoch; what exceeds it loses detail, never octets'),
  hook: choice(['auto', 'tcx', 'clsact']).prefault(DEFAULT.hook).describe('tcx is of Linux 6.6'),
  ports: section(
    Object.fromEntries(PORT_NAMES.map((name) => [name, portList.optional()])) as Record<
      PortName,
      z.ZodOptional<typeof portList>
    >,
  )
    .prefault({})
    .describe('ports of tunnels; those this host uses are added'),
  rules: list(rule)
    .prefault([])
    .describe(
      'only flows that fit any of these: IP_SRC IP_DST PORT_SRC PORT_DST PROTOCOL, or the filter language',
    ),
  rulesFile: file().optional().describe('further rules, one a line; read again when the file changes'),
  metrics: section({
    labels: words<LabelGroup>(LABEL_GROUP_NAMES)
      .prefault([...DEFAULT.metricsLabels])
      .describe('what traffic is told apart by'),
    series: count(1, 100_000)
      .prefault(DEFAULT.metricsSeries)
      .describe('most series of each family of traffic; the rest is "other"'),
    idle: duration().prefault(DEFAULT.metricsIdle).describe('a series without traffic for so long goes'),
    legacy: flag().prefault(false).describe('also the gauges of System D: tcp_throughput, udp_goodput, …'),
    runTime: flag()
      .prefault(false)
      .describe('have the kernel count how long the programs run (some 20 ns per packet)'),
  })
    .prefault({})
    .describe('what Prometheus is told at /metrics'),
  serve: section({
    listen: scalar('an address such as 127.0.0.1:8080', parseListenOrNone)
      .prefault(DEFAULT.listen)
      .describe('where to serve the page and the API, or none'),
    tokenFile: file()
      .optional()
      .describe('file with the access token (default: generated when not on loopback)'),
    adminTokenFile: file()
      .optional()
      .describe('file with another token, for changing things over the API; without it nobody can'),
    auth: flag().prefault(true).describe('false serves a non-loopback address without a token'),
    allowHosts: list(scalar('a host name', parseHostName))
      .prefault([])
      .describe('further names the page may be asked for by (behind a proxy)'),
  })
    .prefault({})
    .describe('the page and the API'),
  history: history.prefault({}).describe('the past: what can be asked later'),
  alerts: AlertsSchema.prefault([]).describe(
    'questions about what passes now, each with a threshold and a duration',
  ),
  names: names
    .prefault({})
    .describe('what addresses and segments are called; labels before hosts before DNS'),
  json: section({
    directory: file().optional().describe('write tunnel.json, tunnel-delta.json and flows.json there'),
    period: duration().prefault(DEFAULT.jsonPeriod).describe('how often the files are written'),
  })
    .prefault({})
    .describe('JSON files'),
  log: section({
    level: choice(['error', 'warn', 'info', 'debug'])
      .prefault('info')
      .describe('what is logged: this and all that is worse'),
    file: file().optional().describe('of a detached instance (default: NAME.log in the directory of logs)'),
    ...rotated('the log'),
    data: section({
      file: file().optional().describe('a line of values per interval goes here'),
      ...rotated('values'),
    })
      .prefault({})
      .describe('values of each interval, per protocol'),
  })
    .prefault({})
    .describe('what is written down'),
  control: section({
    group: scalar('the name of a group', parseGroup)
      .optional()
      .describe('its members may ask for the status, stop and reload; default: root alone'),
  })
    .prefault({})
    .describe('the socket by which status, stop and reload speak to an instance'),
  measure: measure.prefault({}).describe('measurements'),
});

/** A validated configuration: durations in milliseconds, sizes in octets. */
export type Configuration = z.output<typeof ConfigurationSchema>;

/** A configuration as it is written, every key optional. */
export type ConfigurationText = z.input<typeof ConfigurationSchema>;

/** The JSON Schema of the file (draft 2020-12). */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(ConfigurationSchema, { io: 'input' });
  return {
    $schema: schema.$schema,
    title: 'tunnelscope.yaml',
    description: 'Configuration of tunnelscope: monitor --config, start, reload.',
    ...schema,
  };
}
