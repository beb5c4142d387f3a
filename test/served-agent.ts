/** A real agent over a namespace, with its page. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runAgent } from '../src/agent.ts';
import type { MeasureOptions } from '../src/flow/index.ts';
import { type AlertDefinition, type HostConnections, HostConnectionsSchema } from '../src/query/index.ts';

const PAGE = fileURLToPath(new URL('../web/dist', import.meta.url));

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

  /** @param options `measure`: what is measured beside counting */
  static async start(
    namespace: string,
    {
      intervalMs = 200,
      measure,
      alerts = [],
    }: {
      readonly intervalMs?: number;
      readonly measure?: Partial<MeasureOptions>;
      readonly alerts?: readonly AlertDefinition[];
    } = {},
  ): Promise<ServedAgent> {
    const stopping = new AbortController();
    const ready = Promise.withResolvers<string>();
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
      },
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
