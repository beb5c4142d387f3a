/** A real agent over a namespace, with its page. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runAgent } from '../src/agent.ts';
import { questionsOf } from '../src/command/history-answers.ts';
import { keepingOf } from '../src/command/keeping.ts';
import type { MeasureOptions } from '../src/flow/index.ts';
import { type AlertDefinition, type HostConnections, HostConnectionsSchema } from '../src/query/index.ts';

const PAGE = fileURLToPath(new URL('../web/dist', import.meta.url));

const HOUR_MS = 3_600_000;
const KEEPING = {
  intervalMs: 1000,
  retention: { rawMs: HOUR_MS, minuteMs: HOUR_MS, hourMs: HOUR_MS },
  maxOctets: 2 ** 30,
  maxSpoolOctets: 2 ** 30,
};
const QUIET = { say: (): void => undefined };

/** An agent that serves; ends with the test. */
export class ServedAgent implements AsyncDisposable {
  readonly url: string;
  readonly #stopping: AbortController;
  readonly #running: Promise<void>;

  private constructor(url: string, stopping: AbortController, running: Promise<void>) {
    this.url = url;
    this.#stopping = stopping;
    this.#running = running;
  }

  /** @param options `measure`: what is measured beside counting; `history`: the directory of one, whose rows are of a second */
  static async start(
    namespace: string,
    {
      intervalMs = 200,
      measure,
      alerts = [],
      history,
    }: {
      readonly intervalMs?: number;
      readonly measure?: Partial<MeasureOptions>;
      readonly alerts?: readonly AlertDefinition[];
      readonly history?: string;
    } = {},
  ): Promise<ServedAgent> {
    const stopping = new AbortController();
    const ready = Promise.withResolvers<string>();
    const kept = history === undefined ? undefined : keepingOf({ ...KEEPING, directory: history }, QUIET);
    const running = runAgent({
      meter: {
        interfaces: ['eth0'],
        intervalMs,
        flowCapacity: 1024,
        hook: 'auto',
        namespace,
        ports: {},
        rules: [],
        ...(measure && { measure }),
      },
      serve: {
        listen: { host: '127.0.0.1', port: 0 },
        auth: { kind: 'none' },
        pageDirectory: PAGE,
        ...(kept && { history: questionsOf(kept) }),
      },
      history: kept?.agent,
      alerts,
      sinks: [],
      ready: ({ url }) => ready.resolve(url!),
      listener: { sinkFailed: (_, error) => ready.reject(error), sinkDropped: () => undefined },
      signal: stopping.signal,
    });
    running.catch(ready.reject);
    return new ServedAgent(await ready.promise, stopping, running);
  }

  async connections(query = ''): Promise<HostConnections> {
    const response = await fetch(`${this.url}api/v1/connections?${query}`);
    const answer: unknown = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return HostConnectionsSchema.parse(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
