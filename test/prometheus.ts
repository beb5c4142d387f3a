/** A real Prometheus with the configuration that is shipped, on a port of its own, and what it answers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prometheusProgram } from '../tools/prometheus.ts';
import { until } from './until.ts';

/** Where the shipped configuration lies. */
export const CONFIGURATION = fileURLToPath(new URL('../deploy/prometheus/', import.meta.url));

/** One series of an instant answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One rule, as Prometheus judges it. */
export interface Rule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly lastError?: string;
}

function program(name: 'prometheus' | 'promtool'): string {
  return prometheusProgram(name) ?? assert.fail(`there is no ${name}: node tools/prepare.ts fetches it`);
}

/** Runs promtool in the directory of the configuration. @returns its exit code, and all it said */
export function promtool(words: readonly string[], input = '', directory = CONFIGURATION) {
  const ended = spawnSync(program('promtool'), words, { cwd: directory, input, encoding: 'utf8' });
  return { code: ended.status, said: ended.stdout + ended.stderr };
}

/** A server that scrapes one target every second; disposing ends it and removes what it wrote. */
export class Prometheus implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(directory: string, child: ChildProcess, url: string) {
    this.#directory = directory;
    this.#child = child;
    this.#url = url;
  }

  /** Starts one. @param target `host:port`, in the place of the one that is shipped */
  static async open(target: string): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-prometheus-'));
    cpSync(CONFIGURATION, directory, { recursive: true });
    const file = join(directory, 'prometheus.yml');
    const shipped = readFileSync(file, 'utf8');
    const adapted = shipped
      .replace('127.0.0.1:8080', target)
      .replace('scrape_interval: 5s', 'scrape_interval: 1s')
      .replace('evaluation_interval: 30s', 'evaluation_interval: 1s');
    assert.equal(shipped.split('\n').filter((line) => !adapted.split('\n').includes(line)).length, 3);
    writeFileSync(file, adapted);
    const port = await freePort();
    const words = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ];
    const child = spawn(program('prometheus'), words, { stdio: ['ignore', 'ignore', 'inherit'] });
    const server = new Prometheus(directory, child, `http://127.0.0.1:${port}`);
    const isReady = async (): Promise<boolean> => {
      assert.equal(child.exitCode, null, 'it runs');
      return fetch(`${server.#url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      );
    };
    try {
      await until(isReady, 'Prometheus is ready', 30_000);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** What an expression gives now. */
  async query(expr: string): Promise<Series[]> {
    const url = `${this.#url}/api/v1/query?${new URLSearchParams({ query: expr })}`;
    const answer = (await (await fetch(url)).json()) as QueryAnswer;
    assert.equal(answer.status, 'success', `${expr}: ${answer.error}`);
    return answer.data!.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The one number that an expression gives; undefined while it gives none. */
  async number(expr: string): Promise<number | undefined> {
    const found = await this.query(expr);
    assert.ok(found.length <= 1, `${expr} gives ${found.length} series`);
    return found[0]?.value;
  }

  /** All alert rules that are loaded. */
  async rules(): Promise<Rule[]> {
    const answer = (await (await fetch(`${this.#url}/api/v1/rules`)).json()) as RulesAnswer;
    return answer.data.groups.flatMap(({ rules }) => rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill();
      await ended;
    }
    rmSync(this.#directory, { recursive: true });
  }
}

interface QueryAnswer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

interface RulesAnswer {
  readonly data: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
