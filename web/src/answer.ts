import { unknown } from 'zod';
import {
  type LinkRows,
  linkFault,
  type StreamedView,
  type ViewNode,
  ViewSchema,
} from '../../src/query/index.ts';

/** The agent answered with something this page does not understand. */
export class Misunderstanding extends Error {}

/** The bulk of an answer, which zod would copy in every epoch, is looked at where it lies. */
const AnswerSchema = ViewSchema.extend({ nodes: unknown(), links: unknown(), history: unknown() });

/** Reads an answer; what is wrong with it is said with its place: `nodes.3.sent: …`. */
export function parseView(text: string): StreamedView {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Misunderstanding('the answer is no JSON');
  }
  const parsed = AnswerSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new Misunderstanding(`${issue.path.join('.') || 'answer'}: ${issue.message}`);
  }
  const { nodes, links, history } = parsed.data;
  refuse('nodes', listFault(nodes, NODE));
  refuse('history', listFault(history, MOMENT));
  refuse('links', linkFault(links, (nodes as unknown[]).length));
  return {
    ...parsed.data,
    nodes: nodes as StreamedView['nodes'],
    links: links as LinkRows,
    history: history as StreamedView['history'],
  };
}

function refuse(field: string, fault: string | undefined): void {
  if (fault !== undefined) throw new Misunderstanding(`${field}${fault.startsWith('.') ? '' : ': '}${fault}`);
}

/** Whether a value may stand in a field. */
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => {
  const { octets, packets } = (value ?? {}) as { readonly octets?: unknown; readonly packets?: unknown };
  return Number.isFinite(octets) && Number.isFinite(packets);
};

const NODE = {
  id: (value) => isText(value) && value !== '',
  address: isText,
  segment: (value) => value === null || isText(value),
  sent: isCount,
  received: isCount,
} satisfies Record<keyof ViewNode, Check>;

const MOMENT = {
  atMs: Number.isFinite,
  octetRate: Number.isFinite,
  packetRate: Number.isFinite,
  tunnelledOctetRate: Number.isFinite,
} satisfies Record<keyof StreamedView['history'][number], Check>;

/** What is wrong with a list of objects, if anything: `.3.sent: is not what it should be`. */
function listFault(list: unknown, fields: Readonly<Record<string, Check>>): string | undefined {
  if (!Array.isArray(list)) return 'is no list';
  const checks = Object.entries(fields);
  for (let index = 0; index < list.length; index++) {
    const one: unknown = list[index];
    if (typeof one !== 'object' || one === null) return `.${index}: is not what it should be`;
    for (const [name, isRight] of checks) {
      if (!isRight((one as Readonly<Record<string, unknown>>)[name]))
        return `.${index}.${name}: is not what it should be`;
    }
  }
  return undefined;
}
