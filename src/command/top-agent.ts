/** What `top` shows of an agent that runs already, over its API. */
import { askInstance, placeOf } from '../daemon/index.ts';
import {
  AuditSchema,
  NamesAnswerSchema,
  ResultTableSchema,
  StatusSchema,
  type ViewQuestion,
  ViewSchema,
} from '../query/index.ts';
import { type Connections, NotOffered, type TopSource } from '../terminal/index.ts';
import { type AgentPlace, AgentRefused, AgentUnreachable, askAgent } from './asking.ts';
import { EXIT, Exit } from './exit.ts';
import { HostSockets } from './top-connections.ts';

/** Somebody looks: an answer that takes longer is none. */
const PATIENCE_MS = 5000;
/** Without a route for questions, or without one for these. */
const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405]);

/** An agent that answers at an address. @throws Exit when it does not, with what is wrong */
export async function agentSource(
  place: AgentPlace,
  signal: AbortSignal,
  {
    name = place.url.host,
    connections,
  }: {
    readonly name?: string;
    readonly connections?: TopSource['connections'];
  } = {},
): Promise<TopSource> {
  const patience = { patienceMs: PATIENCE_MS };
  const source: TopSource = {
    name,
    view: (question, signal) =>
      asked(
        askAgent(place, `api/v1/view${queryOf(question)}`, {
          read: (answer) => ViewSchema.parse(answer),
          signal,
          ...patience,
        }),
      ),
    audit: (signal) =>
      asked(
        askAgent(place, 'api/v1/audit', { read: (answer) => AuditSchema.parse(answer), signal, ...patience }),
      ),
    status: (signal) =>
      asked(
        askAgent(place, 'api/v1/status', {
          read: (answer) => StatusSchema.parse(answer),
          signal,
          ...patience,
        }),
      ),
    table: (question, signal) =>
      asked(
        askAgent(place, 'api/v1/query', {
          read: (answer) => ResultTableSchema.parse(answer),
          body: question,
          signal,
          ...patience,
        }),
      ).catch((error: unknown) => {
        const { cause } = error as Error;
        if (cause instanceof AgentRefused && UNKNOWN.has(cause.status))
          throw new NotOffered(`This agent does not list flows: ${cause.reason}`, { cause });
        throw error;
      }),
    names: (question, signal) =>
      askAgent(place, 'api/v1/names', {
        read: (answer) => NamesAnswerSchema.parse(answer),
        body: question,
        signal,
        ...patience,
      }),
    connections:
      connections ??
      (async () => ({
        kind: 'none',
        why: `Connections are told by the sockets of the host itself, and ${name} is asked over its API: run top there.`,
      })),
  };
  // Before the screen is taken: who mistyped the address wants to read that where the address stands.
  await askAgent(place, 'api/v1/status', { read: (answer) => StatusSchema.parse(answer), signal });
  return source;
}

/** An instance that runs here, by its name: its figures over its API, and the sockets of this host. @throws DaemonError, Exit */
export async function instanceSource(
  name: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<TopSource> {
  const { url, agent } = await askInstance(placeOf(name), 'status', { signal });
  if (url === null)
    throw new Exit(
      EXIT.failed,
      `"${name}" serves no API, which top asks: start it with --listen, or leave --name out to meter here and now.`,
    );
  const namespace = agent?.namespace ?? null;
  const sockets = new HostSockets(namespace);
  return agentSource({ url: new URL(url), token }, signal, {
    name: `"${name}"`,
    connections: async (filter): Promise<Connections> => sockets.connections(filter),
  });
}

function queryOf(question: ViewQuestion): string {
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries(question)) if (value !== undefined) query.set(field, value);
  return `?${query}`;
}

/** Errors in the few words that a line of the screen has room for. */
async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AgentUnreachable)
      throw new Error(`No agent answers: ${error.found}`, { cause: error });
    throw error instanceof AgentRefused ? new Error(error.message, { cause: error }) : error;
  }
}
