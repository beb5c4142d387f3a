/** A host whose agent keeps a history and is killed, and a sender that counts what it sends through it. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DuckDbStore } from '../src/store/index.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SENDER = fileURLToPath(new URL('./udp-sender.ts', import.meta.url));
/** Ethernet, IPv4 and UDP headers. */
const HEADER_OCTETS = 14 + 20 + 8;
const TARGET = '10.8.0.2';
const START_MS = 60_000;

/** Packets and octets on the wire, by destination port. */
export type Flows = Readonly<Record<number, { readonly packets: number; readonly octets: number }>>;

/** An agent's process, and what it has said so far. */
export interface Agent {
  readonly child: ChildProcess;
  said(): string;
  /** Resolves when it meters. */
  metering(): Promise<void>;
  /** Ends it by a signal. @returns its exit code */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}

/** The namespaces, the directories, and what runs there. */
export class HistoryScene implements Disposable {
  /** Of the namespace, and of the instance. */
  readonly name: string;
  readonly directory: string = mkdtempSync(join(tmpdir(), 'ts-kill-'));
  readonly history: string = join(this.directory, 'history');
  readonly environment: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_COMPILE_CACHE: join(this.directory, 'cache'),
    RUNTIME_DIRECTORY: join(this.directory, 'run'),
    LOGS_DIRECTORY: join(this.directory, 'log'),
  };

  constructor(name: string) {
    this.name = name;
    const peer = `${name}-peer`;
    for (const each of [name, peer]) spawnSync('ip', ['netns', 'del', each], { stdio: 'ignore' });
    for (const each of [name, peer]) {
      ip('netns', 'add', each);
      ip('netns', 'exec', each, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', peer);
    for (const each of [name, peer]) ip('-n', each, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'addr', 'add', '10.8.0.1/24', 'dev', 'eth0');
    // No question for the neighbour: each datagram that is sent passes the hook once.
    const neighbour = ['neigh', 'add', TARGET, 'lladdr', '02:00:00:00:00:02', 'dev', 'eth0'];
    ip('-n', name, ...neighbour, 'nud', 'permanent');
    const lines = [
      `name: ${name}`,
      `namespace: ${name}`,
      'interfaces: [eth0]',
      'interval: 100ms',
      'flows: 4096',
      'serve: { listen: none }',
      `history: { directory: ${this.history}, interval: 1s }`,
    ];
    writeFileSync(this.#config, `${lines.join('\n')}\n`);
  }

  get #config(): string {
    return join(this.directory, 'tunnelscope.yaml');
  }

  /** Starts the agent. @param cli of which program */
  start(cli: string = CLI): Agent {
    const child = spawn(process.execPath, [cli, 'start', '-c', this.#config], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (more: string) => {
        said += more;
      });
    const closed = once(child, 'close') as Promise<[number | null]>;
    return {
      child,
      said: () => said,
      metering: async () => {
        const isMetering = (): boolean => said.includes('meters"');
        await until(() => isMetering() || child.exitCode !== null, 'the agent meters', START_MS);
        assert.ok(isMetering(), said);
      },
      end: async (signal) => {
        child.kill(signal);
        const [code] = await closed;
        return code;
      },
    };
  }

  /** Runs a command of the program to its end. */
  async run(
    words: readonly string[],
    cli: string = CLI,
  ): Promise<{ readonly code: number; readonly out: string }> {
    const child = spawn(process.execPath, [cli, ...words], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { code: code as number, out };
  }

  /** Sends until it is told to stop. @returns stops it, and says what it sent */
  send(flows: number, perSecond: number): () => Promise<Flows> {
    const words = [
      'netns',
      'exec',
      this.name,
      process.execPath,
      SENDER,
      TARGET,
      String(flows),
      '0',
      String(perSecond),
    ];
    const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = text(child.stdout);
    return async () => {
      child.stdin.end();
      const sent = JSON.parse(await said) as Record<string, { packets: number; payload: number }>;
      return Object.fromEntries(
        Object.entries(sent).map(([port, { packets, payload }]) => [
          port,
          { packets, octets: payload + HEADER_OCTETS * packets },
        ]),
      );
    };
  }

  /** Asks a running agent to stop and have the kernel count on; does not wait for it. */
  askToKeep(): void {
    const socket = connect(join(this.directory, 'run', `${this.name}.sock`));
    socket.on('error', () => undefined);
    socket.write('{"version":1,"request":"stop","words":{"keep":true}}\n');
  }

  /** Names of the journal's files. */
  files(): string[] {
    try {
      return readdirSync(join(this.history, 'journal')).filter((name) => name.endsWith('.epochs'));
    } catch {
      return [];
    }
  }

  /** What the store says of the sender's flows. */
  async stored(): Promise<Flows> {
    const rows = await this.ask(
      `SELECT destination_port, sum(wire_packets)::BIGINT, sum(wire_octets)::BIGINT
       FROM flow_raw WHERE protocol = 17 GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(
      rows.map(([port, packets, octets]) => [port, { packets: Number(packets), octets: Number(octets) }]),
    );
  }

  /** Milliseconds between the first epoch and the last of which there is none. */
  async gapMs(): Promise<number> {
    const runs = await this.ask('SELECT from_ms, to_ms FROM epochs ORDER BY from_ms');
    let end = Number(runs[0]?.[0]);
    let gap = 0;
    for (const [from, to] of runs) {
      gap += Math.max(0, Number(from) - end);
      end = Math.max(end, Number(to));
    }
    return gap;
  }

  /** Asks the store, which nobody else may have open. */
  async ask(sql: string): Promise<readonly (readonly unknown[])[]> {
    const store = await DuckDbStore.open({ path: join(this.history, 'history.duckdb'), readOnly: true });
    try {
      const { rows } = await store.query(sql, { signal: new AbortController().signal, limit: 10_000 });
      return rows;
    } finally {
      await store.close();
    }
  }

  [Symbol.dispose](): void {
    for (const each of [this.name, `${this.name}-peer`])
      spawnSync('ip', ['netns', 'del', each], { stdio: 'ignore' });
    rmSync(this.directory, { recursive: true, force: true });
  }
}
