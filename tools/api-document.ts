/**
 * The parts of docs/api.md that follow from the code: what can be asked, what may go wrong, the limits.
 *
 *     node tools/api-document.ts        writes them
 */
import { readFileSync, writeFileSync } from 'node:fs';
import {
  FAILURES,
  LIVE_LIMITS,
  OPERATIONS,
  type Operation,
  parametersOf,
  SERVE_LIMITS,
} from '../src/serve/index.ts';

const DOCUMENT = new URL('../docs/api.md', import.meta.url);

/** The document with its parts as the code has them. */
export function apiDocument(text: string = readFileSync(DOCUMENT, 'utf8')): string {
  const parts = { operations, failures, limits };
  return Object.entries(parts).reduce((document, [name, lines]) => replaced(document, name, lines()), text);
}

function replaced(text: string, name: string, lines: readonly string[]): string {
  const begin = `<!-- begin of ${name}, by node tools/api-document.ts -->`;
  const end = `<!-- end of ${name} -->`;
  const [before, behind] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || behind < before) throw new Error(`docs/api.md has lost the marks around its ${name}`);
  return `${text.slice(0, before)}${begin}\n\n${lines.join('\n')}\n\n${text.slice(behind)}`;
}

function operations(): string[] {
  const all = Object.values<Operation>(OPERATIONS);
  return all.flatMap((operation, i) => [...(i === 0 ? [] : ['']), ...describe(operation)]);
}

function describe({ method, path, role, summary, meaning, parameters, example }: Operation): string[] {
  const right = role === 'admin' ? ' Takes the admin token.' : '';
  return [
    `### ${method.toUpperCase()} ${path}: ${summary}`,
    '',
    `${meaning}${right}`,
    '',
    ...(parameters
      ? [
          '| Parameter | Meaning |',
          '|---|---|',
          ...parametersOf(parameters).map(
            ({ name, required, description }) =>
              `| \`${name}\`${required === true ? ' (needed)' : ''} | ${String(description).replaceAll('|', '\\|')} |`,
          ),
          '',
        ]
      : []),
    ...example.map((words) => `    curl ${words}`),
  ];
}

function failures(): string[] {
  return [
    '| Status | Meaning |',
    '|---|---|',
    ...Object.entries(FAILURES).map(([status, words]) => `| ${status} | ${words} |`),
  ];
}

function limits(): string[] {
  const { requests, tokenRequests, streamStarts } = SERVE_LIMITS;
  const rate = ({ perSecond, burst }: typeof requests): string => `${perSecond} per second, ${burst} at once`;
  const seconds = (ms: number): string => `${ms / 1000} s`;
  const megabytes = (octets: number): string => `${octets / 2 ** 20} MiB`;
  const of = SERVE_LIMITS;
  const now = LIVE_LIMITS;
  const rows: readonly (readonly [string, string, string])[] = [
    ['requests of an address to API and metrics', rate(requests), '429'],
    ['requests with one bearer token', rate(tokenRequests), '429'],
    ['streams begun by an address', rate(streamStarts), '429'],
    ['open streams, of them of one address', `${of.streams}, ${of.streamsPerAddress}`, '503'],
    ['questions about the past at a time, and waiting', `${of.questions}, ${of.questionsWaiting}`, '503'],
    ['questions about now at a time, and waiting', `${now.questions}, ${now.questionsWaiting}`, '503'],
    [
      'a question, waiting included: about the past, about now',
      `${seconds(of.questionMs)}, ${seconds(now.questionMs)}`,
      '504',
    ],
    ['head of a request, all of it', `${seconds(of.headMs)}, ${seconds(of.requestMs)}`, '408'],
    ['connections, of them of one address', `${of.connections}, ${of.connectionsPerAddress}`, 'closed'],
    ['requests under way on a connection', `${of.requestsUnderWay}`, 'closed'],
    [
      'answered and not taken, by one address',
      `${megabytes(of.untaken)}, ${megabytes(of.untakenPerAddress)}`,
      '503',
    ],
    ['a stream of which nothing is taken', seconds(of.stalledMs), 'closed'],
    ['a connection on which nothing moves', seconds(of.idleMs), 'closed'],
  ];
  return ['| What | Most | Beyond it |', '|---|---|---|', ...rows.map((cells) => `| ${cells.join(' | ')} |`)];
}

if (import.meta.main) writeFileSync(DOCUMENT, apiDocument());
