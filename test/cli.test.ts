import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AuditSchema } from '../src/query/index.ts';
import { WITHOUT_PRIVILEGES } from './privileges.ts';

/* The command line as its user meets it: help, errors, exit codes, reports. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const PREFIX = 'tscli-';
const HOST = `${PREFIX}host0`;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  before: readonly string[] = [],
): Ended {
  const [command, ...others] = [...before, process.execPath, CLI, ...words];
  const { status, stdout, stderr } = spawnSync(command!, others, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...environment },
  });
  return { code: status, out: stdout, err: stderr };
}

before(() => {
  run(['lab', 'down', '--prefix', PREFIX]);
  const { code, err } = run(['lab', 'up', '--prefix', PREFIX, '--hosts', '2', '--segments', '1']);
  assert.equal(code, 0, err);
});
after(() => run(['lab', 'down', '--prefix', PREFIX]));

test('every command has help', () => {
  for (const words of [
    [],
    ['monitor'],
    ['top'],
    ['report'],
    ['read'],
    ['audit'],
    ['lab'],
    ['lab', 'up'],
    ['lab', 'traffic'],
    ['demo'],
    ['start'],
    ['stop'],
    ['status'],
    ['reload'],
    ['rules'],
    ['logs'],
    ['install-service'],
    ['config'],
    ['config', 'print'],
    ['doctor'],
    ['query'],
    ['export'],
    ['completion'],
  ]) {
    const { code, out } = run([...words, '--help']);
    assert.equal(code, 0, words.join(' '));
    assert.match(out, /^Usage: tunnelscope/);
  }
});

const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown command', ['moniter'], /unknown command 'moniter'/],
  ['an unknown option', ['report', '--tpo', '3'], /unknown option '--tpo'[\s\S]*--top/],
  ['a period of nothing', ['report', '--freq', '0s'], /--freq: "0s" is not between 100ms and 1h/],
  ['a period in words', ['report', '--freq', 'soon'], /--freq: "soon" is not a duration such as 5s/],
  ['a negative count of rows', ['report', '--top', '-4'], /--top: "-4" is not a whole number/],
  [
    'a topology there is not',
    ['lab', 'up', 'bridge-msh'],
    /"bridge-msh": no shipped file has that name \(did you mean "bridge-mesh"\?\)/,
  ],
  [
    'two topologies',
    ['lab', 'up', 'gateway', '-t', 'pair'],
    /--topology: "pair" is not the same as the argument, "gateway"/,
  ],
  ['a DHCP server nowhere', ['lab', 'up', 'bridge-dhcp', '--dhcp', 'here'], /--dhcp: "here" is not a host/],
  ['a column there is not', ['report', '--sort', 'colour'], /--sort: "colour" is not one of bytes/],
  [
    'a filter that is none',
    ['report', '--filter', 'prot'],
    /--filter: column 1: .*"prot"; did you mean "port"/,
  ],
  [
    'a filter that totals cannot answer',
    ['report', '--filter', 'tcp and octets > 1MB'],
    /--filter: "octets" is of one period.*--interval or --json/,
  ],
  ['inner and outer at once', ['report', '--inner', '--outer'], /cannot be used with option/],
  [
    'a port beyond all ports',
    ['monitor', '--tunnel-ports', 'vxlan=4789,99999'],
    /--tunnel-ports: "99999" is not a whole number from 1 to 65535/,
  ],
  [
    'an address to listen on that is none',
    ['monitor', '--listen', 'nowhere:x'],
    /--listen: "nowhere:x" is not an address/,
  ],
  [
    'a token file that is not there',
    ['monitor', '--token-file', '/no/such'],
    /--token-file: "\/no\/such" is not a readable file/,
  ],
  ['an agent that is nowhere', ['audit', '--agent', 'somewhere'], /--agent: "somewhere" is not an address/],
  [
    'an agent to ask and an interface to meter',
    ['audit', '--agent', '8080', '-i', 'eth0'],
    /cannot be used with option '-i, --iface <name>'/,
  ],
  [
    'an interface name too long',
    ['monitor', '-i', 'x'.repeat(20)],
    /--iface: "x{20}" is not an interface name/,
  ],
  ['a namespace with a path', ['monitor', '--netns', '../etc'], /--netns: "..\/etc" is not the name/],
  [
    'a configuration that is not there',
    ['monitor', '-c', '/no/such.yaml'],
    /\/no\/such\.yaml failed \(ENOENT/,
  ],
  ['a noisy client of unknown kind', ['demo', '--noisy', 'loud=1'], /--noisy: "loud=1" is not key=value/],
];
for (const [what, words, message] of MISTAKES) {
  test(`${what} is refused with the field and the value, and exit code 2`, () => {
    const { code, err } = run(words);
    assert.match(err, message);
    assert.equal(code, 2);
  });
}

test('a configuration file is checked, printed with where each value came from, and its mistakes end with exit code 2', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tscli-'));
  try {
    const path = join(directory, 'tunnelscope.yaml');
    writeFileSync(path, 'interval: 2s\nserve:\n  listen: 9000\n');
    assert.deepEqual(run(['config', 'check', path]), {
      code: 0,
      out: `${path} is right (tunnelscope.yaml).\n`,
      err: '',
    });
    const { out } = run(['config', 'print', '-c', path, '--interval', '3s', '--origin', '-i', 'eth0,lo']);
    assert.match(out, /^interval: 3s # --interval$/m);
    assert.match(out, new RegExp(`^  listen: 9000 # ${path}:3$`, 'm'));
    assert.match(out, /^hook: auto # default$/m);
    writeFileSync(path, 'intervall: 2s\nserve:\n  listen: x\n');
    for (const words of [
      ['config', 'check', path],
      ['monitor', '--config', path],
    ]) {
      const { code, err } = run(words);
      assert.equal(code, 2);
      assert.match(
        err,
        new RegExp(
          `^tunnelscope: ${path}:1:1: there is no key "intervall"; did you mean "interval"\\?$`,
          'm',
        ),
      );
      assert.match(err, new RegExp(`^${path}:3:11: serve\\.listen: "x" is not an address`, 'm'));
    }
    assert.equal(JSON.parse(run(['config', 'schema']).out).title, 'tunnelscope.yaml');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an interface that is not there and a namespace that is not there are said, with exit code 1', () => {
  const absent = run(['report', '--netns', HOST, '-i', 'eth9']);
  assert.match(absent.err, /no interface fits eth9 \(there are: .*eth0.*\); choose with --iface/);
  assert.equal(absent.code, 1);
  const nowhere = run(['report', '--netns', 'tscli-none']);
  assert.match(nowhere.err, /tscli-none/);
  assert.equal(nowhere.code, 1);
});

test('without privileges nothing is touched: the facts are said, with exit code 3', () => {
  const { code, err } = run(['report', '--once'], {}, WITHOUT_PRIVILEGES);
  assert.equal(code, 3, err);
  assert.match(err, /MISSING CAP_BPF .*not held -> run as root/);
});

test('the doctor says each fact in a line, and what is missing with its remedy', () => {
  const { code, out } = run(['doctor']);
  assert.equal(code, 0);
  assert.match(out, /^ok +kernel +linux /m);
  assert.match(out, /^ok +libbpf\.so\.1/m);
  const bare = run(['doctor'], { PATH: '/nonexistent' });
  assert.equal(bare.code, 3);
  assert.match(bare.out, /MISSING iproute2 +the command "ip" is not there -> apt-get install iproute2/);
});

test('a report of pings: both layers, inner only, outer only, as JSON lines', async () => {
  const pings = [
    'ip',
    'netns',
    'exec',
    HOST,
    'ping',
    '-q',
    '-i',
    '0.1',
    '-s',
    '128',
    '-w',
    '60',
    '192.168.0.2',
  ];
  const reports = [
    [],
    ['--inner'],
    ['--outer'],
    ['--json'],
    ['--filter', '"icmp and dst = 192.168.0.2"'],
  ].map(
    (words) =>
      `${process.execPath} ${CLI} report --netns ${HOST} -i eth0 --freq 1s --once ${words.join(' ')}`,
  );
  const out = reports.map((report) => {
    const shell = `${pings.join(' ')} >/dev/null & ${report}; kill $! || true`;
    return execFileSync('sh', ['-c', shell], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  });
  const [both, inner, outer, json, requests] = out as [string, string, string, string, string];
  assert.match(both, /^PROTOCOL SOURCE {16}DESTINATION {11}PACKETS BYTES +TUNNEL\n/);
  assert.match(
    both,
    /^ICMP {5}192\.168\.0\.1:0 +192\.168\.0\.2:0 +\d+ +[\d.]+( KiB)? +vxlan 10000 172\.16\.1\.100 > 172\.16\.1\.101$/m,
  );
  assert.match(inner, /^ICMP {5}192\.168\.0\.1:0 +192\.168\.0\.2:0 .*vxlan 10000 *$/m);
  assert.doesNotMatch(inner, /^ICMP.*172\.16/m);
  assert.match(outer, /172\.16\.1\.100:0 +172\.16\.1\.101:0/);
  assert.doesNotMatch(outer, /192\.168/);
  assert.match(requests, /^[^\n]+\nICMP +192\.168\.0\.1:0 +192\.168\.0\.2:0 .*\n(not in a flow.*\n)?$/);
  const flows = json
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const request = flows.find((flow) => flow.icmpTypeCode?.type === 8);
  assert.equal(request.wireOctets, request.wirePackets * 220);
  assert.deepEqual(request.tunnels, [{ kind: 'vxlan', id: 10000 }]);
});

test('the completion scripts are sound', () => {
  const bash = run(['completion', 'bash']).out;
  const ask = `${bash}\nCOMP_WORDS=(tunnelscope lab u); COMP_CWORD=2; _tunnelscope; echo "\${COMPREPLY[@]}"`;
  assert.equal(execFileSync('bash', ['-c', ask], { encoding: 'utf8' }).trim(), 'up');
  const instances = ask.replace('lab u); COMP_CWORD=2', 'start --det); COMP_CWORD=2');
  assert.equal(execFileSync('bash', ['-c', instances], { encoding: 'utf8' }).trim(), '--detached');
  const filter = ask.replace('lab u); COMP_CWORD=2', 'report --filter outer.s); COMP_CWORD=3');
  assert.equal(execFileSync('bash', ['-c', filter], { encoding: 'utf8' }).trim(), 'outer.src outer.sport');
  for (const shell of ['zsh', 'fish']) assert.equal(run(['completion', shell]).code, 0);
  assert.equal(run(['completion', 'tcsh']).code, 2);
});

test('an audit explains every packet, as JSON and as a table', () => {
  const words = ['audit', '--netns', HOST, '-i', 'eth0,lo', '--for', '2s', '--interval', '200ms'];
  const json = run([...words, '--json']);
  assert.equal(json.code, 0, json.err);
  const { points, persistent } = AuditSchema.parse(JSON.parse(json.out));
  assert.equal(points.length, 4);
  assert.deepEqual(persistent, { packets: 0, octets: 0 });
  const table = run(words);
  assert.equal(table.code, 0, table.err);
  assert.match(table.out, /^eth0 ingress \(veth; counts frames/m);
  assert.match(table.out, /All explained at 4 of 4 observation points\.\n$/);
});

/** As {@link run}, while this process goes on. */
async function runAside(words: readonly string[]): Promise<Pick<Ended, 'code' | 'err'>> {
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  const err = text(child.stderr);
  const [code] = (await once(child, 'exit')) as [number];
  return { code, err: await err };
}

/** A running monitor in the host, and where it listens. */
async function monitoring(...words: string[]): Promise<AsyncDisposable & { readonly address: string }> {
  const place = ['--netns', HOST, '-i', 'eth0', '--interval', '200ms', '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [CLI, 'monitor', ...place, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let address = '';
  for await (const line of createInterface(child.stdout)) {
    address = /^Page and API: http:\/\/([^/]+)\//.exec(line)?.[1] ?? '';
    if (address !== '') break;
  }
  return {
    address,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}

test('an agent that runs is asked for its audit, by its address or an URL, without root', async () => {
  await using agent = await monitoring();
  execFileSync('ip', ['netns', 'exec', HOST, 'ping', '-q', '-c', '3', '-i', '0.2', '172.16.1.101']);
  const asked = run(['audit', '--agent', agent.address, '--json'], {}, WITHOUT_PRIVILEGES);
  assert.equal(asked.code, 0, asked.err);
  const { points } = AuditSchema.parse(JSON.parse(asked.out));
  assert.deepEqual(
    points.map(({ interfaceName, direction }) => `${interfaceName} ${direction}`),
    ['eth0 ingress', 'eth0 egress'],
  );
  const port = agent.address.replace(/.*:/, '');
  for (const place of [port, `http://${agent.address}`]) {
    const { code, out } = run(['audit', '--agent', place]);
    assert.equal(code, 0);
    assert.match(out, /All explained at 2 of 2 observation points\.\n$/);
  }
});

test('an agent that is not there, wants a token or is none is said as that, with exit code 1', async () => {
  const free = createServer((_, response) => response.end('<p>a page of others</p>')).listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  const other = await runAside(['audit', '--agent', String(port)]);
  free.close();
  await once(free, 'close');
  assert.equal(other.code, 1);
  assert.match(other.err, /gave no answer: it is no tunnelscope of this version \(200\)/);
  const absent = run(['audit', '--agent', String(port)]);
  assert.deepEqual([absent.code, absent.out], [1, '']);
  assert.match(
    absent.err,
    /^tunnelscope: No agent answers at http:\/\/127\.0\.0\.1:\d+\/: nothing listens there\. Start one/,
  );
  const directory = mkdtempSync(join(tmpdir(), 'tscli-'));
  try {
    const [right, wrong] = ['right', 'wrong'].map((name) => {
      const path = join(directory, name);
      writeFileSync(path, `${name}-token-of-the-agent\n`);
      return path;
    }) as [string, string];
    await using agent = await monitoring('--token-file', right);
    const asked = ['audit', '--agent', agent.address];
    assert.match(run(asked).err, /wants a token: give the file that has it with --token-file/);
    assert.match(run([...asked, '--token-file', wrong]).err, /does not take this token/);
    assert.equal(run([...asked, '--token-file', right]).code, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an audit that Ctrl-C ends prints what there is, and ends well', async () => {
  const child = spawn(process.execPath, [CLI, 'audit', '--netns', HOST, '-i', 'eth0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const out = text(child.stdout);
  await once(child.stderr, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.match(await out, /All explained at 2 of 2 observation points\.\n$/);
});
