/**
 * The API as a table: what can be asked where, by whom, with what, and what comes back. Routes, checks, the OpenAPI document
 * and docs/api.md follow from it.
 */
import { z } from 'zod';
import {
  AlertsSchema,
  AuditSchema,
  FoundNamesSchema,
  HostConnectionsSchema,
  MeteringChangeSchema,
  MeteringSchema,
  NamesAnswerSchema,
  NamesQuestionSchema,
  PastAuditSchema,
  QuestionSchema,
  ResultTableSchema,
  RulesChangeSchema,
  RulesInForceSchema,
  StatusSchema,
  StreamedViewSchema,
  ViewSchema,
  VirtualNetworksSchema,
} from '../query/index.ts';
import {
  ConnectionsParametersSchema,
  FindNamesParametersSchema,
  HistoryParametersSchema,
  NetworkParametersSchema,
  PastAuditParametersSchema,
  ViewParametersSchema,
} from './parameters.ts';

/** Who may: `admin` may also read. */
export type Role = 'read' | 'admin';

/** What an answer is, by its name in the description. */
export interface Shape {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** One thing that can be asked. */
export interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly role: Role;
  /** In a line, and what else there is to know. */
  readonly summary: string;
  readonly meaning: string;
  /** Of an address: every value is text. Others are refused. */
  readonly parameters?: z.ZodObject;
  readonly body?: Shape & { readonly mostOctets: number };
  /** What comes back, by content type; a stream of events has the shape in each. */
  readonly answer: Readonly<Record<string, Shape | undefined>>;
  /** What may go wrong beside what may go wrong everywhere. */
  readonly failures: readonly number[];
  /** What to type after `curl`, with the address of an agent that listens where it does by default. */
  readonly example: readonly string[];
}

const JSON_TYPE = 'application/json';
const AT = 'http://127.0.0.1:8080';
const ADMIN = `-H "Authorization: Bearer $(cat admin.token)"`;
const SENT = `-H 'Content-Type: application/json'`;

const tableAnswer = {
  [JSON_TYPE]: { name: 'ResultTable', schema: ResultTableSchema },
  'text/csv': undefined,
} as const;
const historyFailures = [404, 422, 503, 504] as const;
const rulesAnswer = { [JSON_TYPE]: { name: 'Rules', schema: RulesInForceSchema } } as const;
const meteringAnswer = { [JSON_TYPE]: { name: 'Metering', schema: MeteringSchema } } as const;

/** All that can be asked under `/api/v1`. */
export const OPERATIONS = {
  view: {
    method: 'get',
    path: '/api/v1/view',
    role: 'read',
    summary: 'who talks to whom now',
    meaning:
      'The newest epoch: nodes and links of the chord, segments, the flows of a pair, and whether the numbers can be trusted.',
    parameters: ViewParametersSchema,
    answer: { [JSON_TYPE]: { name: 'View', schema: ViewSchema } },
    failures: [],
    example: [
      `-s '${AT}/api/v1/view?window=1m'`,
      `-sG ${AT}/api/v1/view --data-urlencode 'filter=icmp or arp'`,
    ],
  },
  stream: {
    method: 'get',
    path: '/api/v1/stream',
    role: 'read',
    summary: 'the same view after each epoch, as server-sent events',
    meaning:
      'Events `view`, numbered by epoch, at once and then after each one; links are rows of four numbers. A line that begins with a colon says every 10 s that the agent is still there. Who reads too slowly skips epochs; who takes nothing for a minute is put off.',
    parameters: ViewParametersSchema,
    answer: { 'text/event-stream': { name: 'StreamedView', schema: StreamedViewSchema } },
    failures: [503],
    example: [`-sN '${AT}/api/v1/stream?segment=none' | head -3`],
  },
  status: {
    method: 'get',
    path: '/api/v1/status',
    role: 'read',
    summary: 'what the agent is and where it meters',
    meaning: 'Version, interfaces, rules, room in the tables, the sinks, and what is unexplained.',
    answer: { [JSON_TYPE]: { name: 'Status', schema: StatusSchema } },
    failures: [],
    example: [`-s ${AT}/api/v1/status`],
  },
  audit: {
    method: 'get',
    path: '/api/v1/audit',
    role: 'read',
    summary: 'whether the numbers can be trusted, point by point',
    meaning: 'See [audit.md](audit.md).',
    answer: { [JSON_TYPE]: { name: 'Audit', schema: AuditSchema } },
    failures: [],
    example: [`-s ${AT}/api/v1/audit`],
  },
  pastAudit: {
    method: 'get',
    path: '/api/v1/audit/past',
    role: 'read',
    summary: 'the same of a time that is past, and over time',
    meaning:
      'From the history: 404 where the agent keeps none. `steps` of a point says when something was unexplained. One is answered at a time, within the bounds of questions about the past. See [audit.md](audit.md#of-a-time-that-is-past).',
    parameters: PastAuditParametersSchema,
    answer: { [JSON_TYPE]: { name: 'PastAudit', schema: PastAuditSchema } },
    failures: historyFailures,
    example: [
      `-sG ${AT}/api/v1/audit/past --data-urlencode 'q=last 24h'`,
      `-s '${AT}/api/v1/audit/past?fromMs=1700000000000&toMs=4000000000000'`,
    ],
  },
  networks: {
    method: 'get',
    path: '/api/v1/vnet',
    role: 'read',
    summary: 'the virtual networks of this machine',
    meaning: 'See [network-view.md](network-view.md).',
    parameters: NetworkParametersSchema,
    answer: { [JSON_TYPE]: { name: 'VirtualNetworks', schema: VirtualNetworksSchema } },
    failures: [],
    example: [`-s '${AT}/api/v1/vnet?entries=500'`],
  },
  alerts: {
    method: 'get',
    path: '/api/v1/alerts',
    role: 'read',
    summary: 'the alerts of the configuration, and how they stand',
    meaning:
      'As of the newest epoch: `ok`, `pending` (beyond the threshold, not yet for long enough), `firing`, or `resolved` for five minutes after it was over. See [alerts.md](alerts.md).',
    answer: { [JSON_TYPE]: { name: 'Alerts', schema: AlertsSchema } },
    failures: [],
    example: [`-s ${AT}/api/v1/alerts`],
  },
  names: {
    method: 'post',
    path: '/api/v1/names',
    role: 'read',
    summary: 'what addresses and segments are called',
    meaning:
      'By your labels, the hosts file and reverse DNS, as far as [`names`](configuration.md#names) has them; the first that knows one is believed. Changes nothing. At most 1,000 of each. What has no name is left out; what is `pending` DNS is being asked for, and is known some time later.',
    body: { name: 'NamesQuestion', schema: NamesQuestionSchema, mostOctets: 131_072 },
    answer: { [JSON_TYPE]: { name: 'Names', schema: NamesAnswerSchema } },
    failures: [413, 415],
    example: [
      `-s ${SENT} -d '{"addresses":["127.0.0.1","10.0.0.1"],"segments":["vxlan:5001"]}' ${AT}/api/v1/names`,
    ],
  },
  findNames: {
    method: 'get',
    path: '/api/v1/names',
    role: 'read',
    summary: 'what has a name with a text in it',
    meaning:
      'By your labels, the hosts file and what DNS has said before: nobody is asked. Addresses, networks whose addresses are all called so, and segments; 1,000 at most, and `isCut` says that there are more.',
    parameters: FindNamesParametersSchema,
    answer: { [JSON_TYPE]: { name: 'FoundNames', schema: FoundNamesSchema } },
    failures: [],
    example: [`-s '${AT}/api/v1/names?find=localhost'`],
  },
  connections: {
    method: 'get',
    path: '/api/v1/connections',
    role: 'read',
    summary: "the host's own TCP connections",
    meaning:
      'What the kernel knows of each socket of the metered namespace, with rates since the reading before ([measure.md](measure.md#what-the-hosts-own-sockets-know)). The kernel is read while somebody asks, once a second at most. 404 where it is captures that are shown, 503 where the kernel cannot do it.',
    parameters: ConnectionsParametersSchema,
    answer: { [JSON_TYPE]: { name: 'HostConnections', schema: HostConnectionsSchema } },
    failures: [404, 503],
    example: [
      `-s '${AT}/api/v1/connections?limit=20'`,
      `-sG ${AT}/api/v1/connections --data-urlencode 'filter=port 443'`,
    ],
  },
  ask: {
    method: 'get',
    path: '/api/v1/query',
    role: 'read',
    summary: 'a question about the past or about now, as text',
    meaning:
      'As `tunnelscope query` takes it; with `live` it is about now, else about the past: 404 where the agent keeps no history. With `Accept: text/csv` the table comes as CSV, and what it stands on in the headers `Tunnelscope-Covered` and `Tunnelscope-Cut`.',
    parameters: HistoryParametersSchema,
    answer: tableAnswer,
    failures: historyFailures,
    example: [
      `-sG ${AT}/api/v1/query --data-urlencode 'q=top 5 src, dst live where icmp'`,
      `-sG ${AT}/api/v1/query --data-urlencode 'q=top 5 src, dst last 15m where icmp'`,
      `-sG -H 'Accept: text/csv' ${AT}/api/v1/query --data-urlencode 'q=distinct proto last 1h'`,
    ],
  },
  question: {
    method: 'post',
    path: '/api/v1/query',
    role: 'read',
    summary: 'a question about the past or about now, as JSON',
    meaning:
      'Changes nothing. Answered as the one that is text. With `window` it is about now, with `fromMs` and `toMs` about the past.',
    body: { name: 'Question', schema: QuestionSchema, mostOctets: 65_536 },
    answer: tableAnswer,
    failures: [...historyFailures, 413, 415],
    example: [
      `-s ${SENT} -d '{"ask":"top","by":["segment","src"],"window":"1m"}' ${AT}/api/v1/query`,
      `-s ${SENT} -d '{"ask":"compare","by":["src"],"fromMs":1700000000000,"toMs":4000000000000,"before":{"fromMs":0,"toMs":1700000000000}}' ${AT}/api/v1/query`,
    ],
  },
  rules: {
    method: 'get',
    path: '/api/v1/rules',
    role: 'read',
    summary: 'what is kept of all that passes',
    meaning: 'The rules in force ([rules.md](rules.md)). 404 where it is captures that are shown.',
    answer: rulesAnswer,
    failures: [404],
    example: [`-s ${AT}/api/v1/rules`],
  },
  setRules: {
    method: 'post',
    path: '/api/v1/rules',
    role: 'admin',
    summary: 'other rules from the next epoch on',
    meaning:
      'Replaces all but those of a file, as `tunnelscope rules` does, until the configuration changes or a new start; `[]` keeps everything. Answers when they hold; those that cannot be used leave those before in force.',
    body: { name: 'RulesChange', schema: RulesChangeSchema, mostOctets: 1_048_576 },
    answer: rulesAnswer,
    failures: [403, 404, 413, 415, 422],
    example: [`-s ${ADMIN} ${SENT} -d '{"rules":["icmp or arp","- - - 22 TCP"]}' ${AT}/api/v1/rules`],
  },
  metering: {
    method: 'get',
    path: '/api/v1/metering',
    role: 'read',
    summary: 'how long an epoch is, and which interfaces were asked for',
    meaning: '404 where it is captures that are shown.',
    answer: meteringAnswer,
    failures: [404],
    example: [`-s ${AT}/api/v1/metering`],
  },
  setMetering: {
    method: 'post',
    path: '/api/v1/metering',
    role: 'admin',
    summary: 'meter otherwise from now on',
    meaning:
      'What is left out stays. The epoch under way ends at once, and no packet is lost between. Until the configuration changes or a new start.',
    body: { name: 'MeteringChange', schema: MeteringChangeSchema, mostOctets: 65_536 },
    answer: meteringAnswer,
    failures: [403, 404, 413, 415, 422],
    example: [`-s ${ADMIN} ${SENT} -d '{"intervalMs":500}' ${AT}/api/v1/metering`],
  },
  description: {
    method: 'get',
    path: '/api/v1/openapi.json',
    role: 'read',
    summary: 'this API as OpenAPI 3.1',
    meaning: 'Made from the schemas that the agent checks with.',
    answer: { [JSON_TYPE]: { name: 'Description', schema: z.looseObject({ openapi: z.string() }) } },
    failures: [],
    example: [`-s ${AT}/api/v1/openapi.json`],
  },
} as const satisfies Record<string, Operation>;

/** The name of an operation. */
export type OperationName = keyof typeof OPERATIONS;

/** What was asked, validated. */
export interface Asked<Name extends OperationName> {
  readonly parameters: (typeof OPERATIONS)[Name] extends {
    readonly parameters: infer Schema extends z.ZodType;
  }
    ? z.output<Schema>
    : undefined;
  readonly body: (typeof OPERATIONS)[Name] extends {
    readonly body: { readonly schema: infer Schema extends z.ZodType };
  }
    ? z.output<Schema>
    : undefined;
}

/** Operations by path: each path has one per method. */
export const PATHS: ReadonlyMap<string, readonly Operation[]> = Map.groupBy(
  Object.values<Operation>(OPERATIONS),
  ({ path }) => path,
);

/** Where things were before there were versions; they are asked for anew at the new place. */
export const FORMER_PATHS: ReadonlyMap<string, string> = new Map(
  ['view', 'stream', 'status', 'audit', 'vnet'].map((name) => [`/api/${name}`, `/api/v1/${name}`]),
);

/** What every status means that is no answer. */
export const FAILURES: Readonly<Record<number, string>> = {
  400: 'The question is wrong: which field, which value, what is wrong with it.',
  401: 'A token is needed, or this one is none.',
  403: 'Another site asked through a browser, or the token is one for reading only.',
  404: 'There is nothing, or this agent does not have it.',
  405: 'Not by this method; `Allow` says which.',
  408: 'The request did not come in time.',
  413: 'The body is too large.',
  414: 'The address is too long.',
  415: 'The body is not said to be JSON.',
  421: 'The server is not addressed by its name.',
  422: 'Understood, but it cannot be done; nothing changed.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  431: 'The head of the request is too large.',
  500: 'The answer could not be computed; the log says why.',
  503: 'Too much at a time, or not available now; `Retry-After` may say when to come back.',
  504: 'It took too long.',
};

/** What may go wrong with any request. */
export const COMMON_FAILURES: readonly number[] = [400, 401, 403, 405, 408, 414, 421, 429, 431, 500];
