/** What each operation does. */
import { accepts } from 'hono/accepts';
import {
  type AgentControl,
  type Alerts,
  type FoundNames,
  isLive,
  type NamesAnswer,
  type Question,
  type ResultTable,
  tableCsv,
  USUAL_CONNECTIONS,
  type ViewQuestion,
  type VirtualNetworks,
  withFewerEntries,
} from '../query/index.ts';
import type { AppParts } from './app.ts';
import type { HttpContext } from './context.ts';
import { openApi } from './openapi.ts';
import type { Asked, OperationName } from './operations.ts';
import { questionOf, spanOf } from './parameters.ts';
import { Refusal } from './problem.ts';
import { clientOf } from './rate.ts';

/** An answer to what was asked, for every operation. */
export type Handlers = {
  readonly [Name in OperationName]: (asked: Asked<Name>, c: HttpContext) => Response | Promise<Response>;
};

const JSON_HEADERS = { 'Content-Type': 'application/json' };

const NO_ALERTS: Alerts = { atMs: null, alerts: [] };
const NONE_FOUND: FoundNames = { addresses: {}, networks: {}, segments: {}, isCut: false };
const NO_NAMES: NamesAnswer = { addresses: {}, segments: {}, pending: [] };

/** The operations of a server. */
export function handlersOf(parts: AppParts): Handlers {
  const { options, answers } = parts;
  const description = JSON.stringify(openApi());
  const ask = async (question: Question, c: HttpContext): Promise<Response> =>
    tableResponse(await answerOf(parts, question, c), c);
  return {
    view: ({ parameters }, c) => c.body(answers.answer(parameters, 'whole').json, 200, JSON_HEADERS),
    stream: ({ parameters }, c) => stream(parts, parameters, c),
    status: (_, c) => c.json(options.status()),
    audit: (_, c) => c.json(options.views.audit()),
    pastAudit: async ({ parameters }, c) => {
      const span = spanOf(parameters, Date.now());
      const { audits } = parts.questions;
      if (!audits) throw noHistory();
      return c.json(await whileAsked((gone) => audits.answer(span, gone), c));
    },
    connections: async ({ parameters }, c) => {
      if (!options.connections)
        throw new Refusal(404, 'This shows captures: there is no host whose connections could be told.');
      const { limit = USUAL_CONNECTIONS, filter = '' } = parameters;
      try {
        return c.json(await options.connections({ limit, filter }));
      } catch (error) {
        throw explained(error, {});
      }
    },
    networks: async ({ parameters }, c) => {
      const none: VirtualNetworks = { nowMs: Date.now(), functions: [], unanswered: [] };
      const networks = (await options.networks?.()) ?? none;
      const { entries } = parameters;
      return c.json(entries === undefined ? networks : withFewerEntries(networks, entries));
    },
    alerts: (_, c) => c.json(options.alerts?.() ?? NO_ALERTS),
    names: async ({ body }, c) => c.json((await options.names?.names(body)) ?? NO_NAMES),
    findNames: async ({ parameters }, c) =>
      c.json((await options.names?.find(parameters.find)) ?? NONE_FOUND),
    ask: ({ parameters }, c) => ask(questionOf(parameters, Date.now()), c),
    question: ({ body }, c) => ask(body, c),
    rules: async (_, c) => c.json(await controlOf(options.control).rules()),
    setRules: async ({ body }, c) => c.json(await done(controlOf(options.control).setRules(body.rules))),
    metering: async (_, c) => c.json(await controlOf(options.control).metering()),
    setMetering: async ({ body }, c) => c.json(await done(controlOf(options.control).change(body))),
    description: (_, c) => c.body(description, 200, JSON_HEADERS),
  };
}

function stream({ streams, limiters }: AppParts, question: ViewQuestion, c: HttpContext): Response {
  const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const client = clientOf(c.env.incoming.socket.remoteAddress);
  const wait = limiters.streamStarts.take(client);
  if (wait > 0) throw tooMany('streams', wait);
  const body = streams.open(question, { response: c.env.outgoing, client });
  if (!body)
    throw new Refusal(503, 'Too many pages are open on this agent; close some and try again.', {
      'Retry-After': '10',
    });
  return c.body(body, 200, headers);
}

/** Said to who asks too often. */
export function tooMany(what: string, seconds: number): Refusal {
  return new Refusal(429, `Too many ${what} were asked for in a short time; wait ${seconds} s.`, {
    'Retry-After': String(seconds),
  });
}

async function answerOf(parts: AppParts, question: Question, c: HttpContext): Promise<ResultTable> {
  return whileAsked(answering(parts, question), c);
}

/** What is done for as long as its asker is there. @throws Refusal with what is wrong, where that is known */
async function whileAsked<Answer>(
  answer: (gone: AbortSignal) => Promise<Answer>,
  c: HttpContext,
): Promise<Answer> {
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Refusal(499, 'The asker has gone.'));
  c.env.outgoing.once('close', leave);
  try {
    return await answer(gone.signal);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw explained(error, STATUS_OF);
  } finally {
    c.env.outgoing.off('close', leave);
  }
}

/** @throws Refusal where nobody can answer this one */
function answering(
  { questions: { past, live } }: AppParts,
  question: Question,
): (gone: AbortSignal) => Promise<ResultTable> {
  if (isLive(question)) {
    if (live) return (gone) => live.answer(question, gone);
    throw new Refusal(404, 'There is nothing live here.');
  }
  if (past) return (gone) => past.answer(question, gone);
  throw noHistory('Ask about now (in words live, in JSON a window), or start it with a history.');
}

function noHistory(remedy = 'Start it with a history.'): Refusal {
  return new Refusal(404, { error: 'This agent keeps no history.', remedy });
}

/** What a table stands on would be lost in CSV; there it is in the head. */
function tableResponse(table: ResultTable, c: HttpContext): Response {
  const type = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'text/csv'],
    default: 'application/json',
  });
  c.header('Vary', 'Accept');
  if (type !== 'text/csv') return c.json(table);
  const { fromMs, toMs, level } = table.covered;
  return c.body(tableCsv(table), 200, {
    'Content-Type': 'text/csv; charset=utf-8; header=present',
    'Tunnelscope-Covered': `${new Date(fromMs).toISOString()}/${new Date(toMs).toISOString()}; level=${level}`,
    'Tunnelscope-Cut': table.isCut ? '?1' : '?0',
  });
}

function controlOf(control: AgentControl | undefined): AgentControl {
  if (control) return control;
  throw new Refusal(404, 'This shows captures: nothing is metered, and there are no rules to change.');
}

async function done<Outcome>(changing: Promise<Outcome>): Promise<Outcome> {
  try {
    return await changing;
  } catch (error) {
    throw explained(error, {}, 422);
  }
}

/** Statuses of what a history says is the question's fault; all else is its own. */
const STATUS_OF: Readonly<Record<string, number>> = {
  STORE_TIMEOUT: 504,
  STORE_TOO_COARSE: 422,
  STORE_NO_MEMORY: 422,
  STORE_QUERY: 422,
};

/** A failure that has a code is told as it is; any other is a fault of ours. */
function explained(error: unknown, statuses: Readonly<Record<string, number>>, otherwise = 503): unknown {
  const { code, remedy, message } = error as Error & { readonly code?: unknown; readonly remedy?: unknown };
  if (typeof code !== 'string' || !/^[A-Z]+(_[A-Z]+)+$/.test(code)) return error;
  return new Refusal(statuses[code] ?? otherwise, {
    error: message,
    code,
    ...(typeof remedy === 'string' && { remedy }),
  });
}
