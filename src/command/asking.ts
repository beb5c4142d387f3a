/** Asking an agent that runs already, over its API. */
import { ConfigError, parseAddressAndPort } from '../config/index.ts';
import { formatListen } from '../listen.ts';
import { EXIT, Exit } from './exit.ts';

/** Where an agent answers, and what it may want to know of who asks. */
export interface AgentPlace {
  readonly url: URL;
  readonly token: string | undefined;
}

/** An agent answers from memory. */
const PATIENCE_MS = 10_000;

/** Reads where an agent is: an address as `--listen` takes it, or an URL. @throws ConfigError */
export function parseAgentUrl(field: string, text: string): URL {
  if (!/^https?:\/\//.test(text)) return new URL(`http://${formatListen(parseAddressAndPort(field, text))}/`);
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (!url) throw new ConfigError(field, text, 'an address such as 127.0.0.1:8080, or an URL');
  return url;
}

/** Nobody answers there, or not in time. */
export class AgentUnreachable extends Exit {
  /** In a few words. */
  readonly found: string;

  constructor(url: URL, found: string) {
    super(
      EXIT.failed,
      `No agent answers at ${url}: ${found}. Start one with "tunnelscope monitor", name another with --agent, or leave that out to meter here and now.`,
    );
    this.name = 'AgentUnreachable';
    this.found = found;
  }
}

/** The agent answers that it does not do this. */
export class AgentRefused extends Exit {
  readonly status: number;
  readonly reason: string;

  constructor(url: URL, status: number, reason: string) {
    super(EXIT.failed, `Asking ${url} gave no answer: ${reason}`);
    this.name = 'AgentRefused';
    this.status = status;
    this.reason = reason;
  }
}

/** One request. */
export interface AgentRequest<Answer> {
  /** Checks the answer; throws when it is none. */
  readonly read: (answer: unknown) => Answer;
  readonly signal: AbortSignal;
  /** What is sent, as JSON; without it nothing is, and the answer only fetched. */
  readonly body?: unknown;
  readonly patienceMs?: number;
}

/**
 * Gets one answer.
 *
 * @throws Exit with what is wrong and what to do; the reason of `signal` when that is aborted
 */
export async function askAgent<Answer>(
  { url, token }: AgentPlace,
  path: string,
  { read, signal, body, patienceMs = PATIENCE_MS }: AgentRequest<Answer>,
): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  }).catch((error: Error) => {
    if (signal.aborted) throw signal.reason;
    throw unreachable(url, error, patienceMs);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.status === 401) {
    const what = token === undefined ? 'wants a token' : 'does not take this token';
    throw new Exit(EXIT.failed, `The agent at ${url} ${what}: give the file that has it with --token-file.`);
  }
  try {
    if (response.ok) return read(answer);
  } catch {
    // What answers is no agent, or of another version; said below.
  }
  const said = (answer as { readonly error?: unknown } | undefined)?.error;
  const reason =
    typeof said === 'string' ? said : `it is no tunnelscope of this version (${response.status})`;
  throw new AgentRefused(url, response.status, reason);
}

function unreachable(url: URL, error: Error, patienceMs: number): AgentUnreachable {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException;
  const found =
    cause.code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : error.name === 'TimeoutError'
        ? `it took longer than ${patienceMs / 1000} s`
        : cause.message;
  return new AgentUnreachable(url, found);
}
