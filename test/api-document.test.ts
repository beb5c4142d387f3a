/** docs/api.md against an agent that meters real packets and keeps a real history: what it says to type is typed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { FAILURES, OPERATIONS, type Operation } from '../src/serve/index.ts';
import { apiDocument } from '../tools/api-document.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';
import { until } from './until.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const DOCUMENT = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8');
const CLI = new URL('../src/cli.ts', import.meta.url).pathname;
/** In the namespace of mounts that `ip netns exec` makes there is no BPF file system. */
const WITH_PINS = 'mount -t bpf bpf /sys/fs/bpf && exec "$0" "$@"';
const CONFIGURATION =
  'interfaces: [eth0]\ninterval: 200ms\nserve: { adminTokenFile: admin.token }\nrules: [arp or icmp or udp]\nhistory: { directory: history, interval: 1s }\n';

let hosts: TwoHosts;
let directory: string;

/** What a shell beside the agent prints, typed in the directory with its token. */
function typed(command: string): string {
  return execFileSync('ip', ['netns', 'exec', hosts.here, 'sh', '-c', command], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tsapi-'));
  hosts = twoHosts('tsapi');
  // The one that is no curl is in the document before any that needs what it writes.
  const [token] = commands(DOCUMENT).filter((command) => !command.startsWith('curl '));
  typed(token!);
  writeFileSync(join(directory, 'tunnelscope.yaml'), CONFIGURATION);
  hosts.begin(hosts.far, ['ping', '-q', '-i', '0.05', '192.168.61.1']);
  hosts.begin(
    hosts.here,
    ['sh', '-c', WITH_PINS, process.execPath, CLI, 'monitor', '-c', 'tunnelscope.yaml'],
    {
      cwd: directory,
    },
  );
  const stored = (): number => {
    try {
      return JSON.parse(typed('curl -sG http://127.0.0.1:8080/api/v1/query -d q=top+src')).rows?.length ?? 0;
    } catch {
      // It does not listen yet.
      return 0;
    }
  };
  await until(() => stored() === 2, 'the history has both', 60_000);
});
after(async () => {
  await hosts[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function commands(document: string): string[] {
  return [...document.matchAll(/^ {4}(.+)$/gm)].map(([, command]) => command!);
}

/** The shapes of the description that the agent gives; members that it does not name are refused. */
function described(): (name: string) => z.ZodType {
  const { components } = JSON.parse(typed('curl -s http://127.0.0.1:8080/api/v1/openapi.json'));
  return (name) => z.fromJSONSchema(closed(components.schemas[name]) as never);
}

/** The same schema, in which what is not named may not be. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in inner ? { ...inner, additionalProperties: false } : inner;
}

test('the tables of the document are those of the code: node tools/api-document.ts', () => {
  assert.equal(DOCUMENT, apiDocument(DOCUMENT));
});

test('every status in the table of operations is explained', () => {
  for (const { failures } of Object.values<Operation>(OPERATIONS))
    for (const status of failures) assert.ok(FAILURES[status], String(status));
});

test('every example of the document is answered as the description says', () => {
  const shapeOf = described();
  const shown = commands(DOCUMENT).filter((command) => command.startsWith('curl '));
  const examples = Object.values<Operation>(OPERATIONS).flatMap((operation) =>
    operation.example.map((words) => ({ ...operation, command: `curl ${words}` })),
  );
  assert.deepEqual(
    shown,
    examples.map(({ command }) => command),
  );
  for (const { path, command, answer } of examples) {
    const out = typed(command);
    assert.ok(!out.startsWith('{"error"'), `${command}: ${out}`);
    if (command.includes('text/csv')) {
      assert.match(out, /^proto,[a-z,]+\r\nicmp,[\d.,]+\r\n/i, command);
      continue;
    }
    const [type, shape] = Object.entries(answer)[0]!;
    const json = type === 'text/event-stream' ? dataOf(out) : out;
    if (path.endsWith('openapi.json')) continue;
    const parsed: unknown = JSON.parse(json);
    assert.deepEqual(shapeOf(shape!.name).parse(parsed), parsed, command);
    // What the code checks with says the same.
    assert.deepEqual(shape!.schema.parse(parsed), parsed, command);
  }
});

function dataOf(events: string): string {
  assert.match(events, /^id: \d+\nevent: view\ndata: \{.*\}\n$/);
  return events.split('\n')[2]!.replace('data: ', '');
}

test('what other documents say to ask is answered too', () => {
  const documents = globSync('docs/**/*.md', { cwd: ROOT }).filter(
    (path) => !/^docs\/(api\.md|guides)/.test(path),
  );
  const shown = documents
    .flatMap((path) => commands(readFileSync(join(ROOT, path), 'utf8')))
    .filter((command) => /^curl .*127\.0\.0\.1:8080/.test(command));
  assert.ok(shown.length > 0);
  for (const command of shown) assert.ok('epoch' in JSON.parse(typed(command)), command);
});

test('the answers are of the packets that pass', () => {
  const ask = (words: string) => JSON.parse(typed(`curl -s ${words}`));
  const view = ask('http://127.0.0.1:8080/api/v1/view');
  assert.deepEqual(view.nodes.map(({ id }: { id: string }) => id).toSorted(), [
    '192.168.61.1',
    '192.168.61.2',
  ]);
  const table = ask(
    "-G http://127.0.0.1:8080/api/v1/query --data-urlencode 'q=top src, dst by packets where icmp'",
  );
  const names = table.columns.map(({ name }: { name: string }) => name);
  const pairs = table.rows.map(
    (row: unknown[]) => `${row[names.indexOf('src')]} ${row[names.indexOf('dst')]}`,
  );
  assert.deepEqual(pairs.toSorted(), ['192.168.61.1 192.168.61.2', '192.168.61.2 192.168.61.1']);
  const octets = table.rows[0][names.indexOf('octets')];
  assert.equal(
    octets / table.rows[0][names.indexOf('packets')],
    98,
    'ping sends 64 octets behind IPv4 and Ethernet',
  );
});

test('rules and interval that the API changed are those that the agent meters by', async () => {
  const ask = (words: string) => JSON.parse(typed(`curl -s ${words}`));
  const admin = `-H "Authorization: Bearer $(cat admin.token)" -H 'Content-Type: application/json'`;
  const at = 'http://127.0.0.1:8080/api/v1';
  assert.deepEqual(ask(`${admin} -d '{"rules":["arp"]}' ${at}/rules`), { rules: ['arp'], file: null });
  assert.deepEqual(ask(`${at}/rules`).rules, ['arp']);
  const excluded = (): number => ask(`${at}/status`).rules.excluded.packets;
  const before = excluded();
  await until(() => excluded() > before, 'pings are excluded');
  await until(() => ask(`${at}/view`).total.packets === 0, 'they are not in the view any more');
  assert.deepEqual(ask(`${admin} -d '{"intervalMs":300}' ${at}/metering`), {
    intervalMs: 300,
    interfaces: ['eth0'],
  });
  await until(() => ask(`${at}/view`).intervalSeconds === 0.3, 'epochs are longer');
  const wrong = ask(`${admin} -d '{"rules":["dprot = 1"]}' ${at}/rules`);
  assert.match(wrong.error, /^rules\[0\] "dprot = 1": column 1: unknown field "dprot"/);
  assert.deepEqual(ask(`${at}/rules`).rules, ['arp']);
  assert.deepEqual(ask(`${admin} -d '{"rules":[]}' ${at}/rules`).rules, []);
  await until(() => ask(`${at}/view`).total.packets > 0, 'everything is kept again');
});

test('the command asks it as well', () => {
  const query = `${process.execPath} ${CLI} query --connect 127.0.0.1:8080`;
  const { rows } = JSON.parse(typed(`${query} --json top src where icmp`)) as {
    rows: [string, number, number][];
  };
  assert.deepEqual(rows.map(([src]) => src).toSorted(), ['192.168.61.1', '192.168.61.2']);
  assert.match(typed(`${query} top src where icmp`), /^192\.168\.61\.2 +\S+ \S+ +\S+ % +\d+$/m);
  assert.throws(() => typed(`${query} --sql 'SELECT 1' 2>&1`), /Command failed/);
});
