/*
 * The shipped configuration of Prometheus, its rules and the queries of all dashboards, against a real Prometheus that
 * scrapes the real agent while traffic of a lab runs, broken frames among it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Workshop } from '../bench/build.ts';
import {
  labDown,
  labUp,
  loadTopology,
  namespaceOf,
  startTraffic,
  type Traffic,
  type TrafficProfile,
} from '../src/lab/index.ts';
import { Prometheus, promtool } from './prometheus.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const DASHBOARDS = fileURLToPath(new URL('../deploy/grafana/dashboards/', import.meta.url));
const PREFIX = 'tsprom-';
const HOST = namespaceOf(PREFIX, 'host0');
const PEER = namespaceOf(PREFIX, 'host1');
const DEADLINE_MS = 60_000;
/** More than the flows of the profile, fewer than those of the spray. */
const SERIES = 2000;
/** A datagram to each of so many ports. */
const SPRAY = `
const socket = require('dgram').createSocket('udp4');
let sent = 0;
const next = () => (sent < 3000 ? socket.send('x', 20000 + sent++, process.argv[1], next) : socket.close());
next();`;
const topology = loadTopology('overlay', { hosts: 2, segments: 2 });
/** Of a kind each, between the two hosts and in both segments. */
const profile: TrafficProfile = {
  title: 'For Prometheus',
  streams: [
    {
      kind: 'requests',
      vni: 10000,
      from: 'host0',
      to: 'host1',
      requestOctets: 300,
      responseOctets: 9000,
      perSecond: 10,
    },
    { kind: 'udp', vni: 10001, from: 'host1', to: 'host0', size: 700, perSecond: 50, port: 5000 },
    { kind: 'ping', from: 'host0', to: 'host1', size: 56, perSecond: 5 },
  ],
};
/** A broadcast that says IPv4 and holds one octet of it. */
const BROKEN = Uint8Array.from([...[255, 255, 255, 255, 255, 255], ...[2, 0, 0, 0, 0, 9], 0x08, 0x00, 0x45]);

const stack = new AsyncDisposableStack();
let address = '';
let prometheus: Prometheus;
let traffic: Traffic;

before(async () => {
  await labDown({ prefix: PREFIX });
  await labUp(topology, { prefix: PREFIX });
  stack.defer(() => labDown({ prefix: PREFIX }));
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-json-'));
  stack.defer(() => rmSync(directory, { recursive: true }));
  await startAgent(directory);
  prometheus = stack.use(await Prometheus.open(address));
  traffic = await startTraffic(topology, profile, { prefix: PREFIX });
});

after(() => stack.disposeAsync());

/** Starts the agent in the first host; it listens out here. */
async function startAgent(directory: string): Promise<void> {
  const place = ['--netns', HOST, '-i', '*', '--listen', '127.0.0.1:0', '--json-dir', directory];
  const labels = ['--metrics-labels', 'interface,direction,protocol,tunnel,vni,hosts,flows'];
  const more = [
    '--legacy-metrics',
    '--run-time-statistics',
    '--measure',
    'arrivals,sequence,tcp',
    '--metrics-series',
    String(SERIES),
  ];
  const child = spawn(process.execPath, [CLI, 'monitor', ...place, ...labels, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => stopped(child));
  for await (const line of createInterface(child.stdout)) {
    address = /^Page and API: http:\/\/([^/]+)\//.exec(line)?.[1] ?? '';
    if (address !== '') break;
  }
  child.stdout.resume();
  assert.notEqual(address, '', 'the agent serves');
}

async function stopped(child: ChildProcess): Promise<void> {
  assert.equal(child.exitCode, null, 'the agent still runs');
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
}

/** Waits until an expression gives a number that is wanted. */
async function untilNumber(expr: string, isWanted: (value: number) => boolean): Promise<number> {
  let seen: number | undefined;
  await until(
    async () => {
      seen = await prometheus.number(expr);
      return seen !== undefined && isWanted(seen);
    },
    `${expr} is as wanted`,
    DEADLINE_MS,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it was ${seen}`);
  });
  return seen!;
}

/** A panel of a dashboard as Grafana has it. */
interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

interface Question {
  readonly place: string;
  readonly expr: string;
}

/** All that the dashboards ask, with everything chosen and the times that Grafana would put in. */
function questions(): Question[] {
  return globSync('*.json', { cwd: DASHBOARDS }).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8')) as { panels: Panel[] };
    assert.ok(panels.length > 5, `${file} has panels`);
    return panels.flatMap(({ title, targets }) => {
      assert.ok(targets.length > 0, `${file}, ${title} asks something`);
      return targets.map(({ expr }) => ({
        place: `${file}, ${title}`,
        expr: expr
          .replaceAll('$__rate_interval', '4s')
          .replaceAll('$__range', '30s')
          .replaceAll(/\$(instance|interface)\b/g, '.*'),
      }));
    });
  });
}

test('the agent is scraped with all its metrics, and none is written as it should not be', async () => {
  await untilNumber('up{job="monitor"}', (value) => value === 1);
  const form = { accept: 'text/plain' };
  const text = await (await fetch(`http://${address}/metrics`, { headers: form })).text();
  // The gauges of old have names that nobody would give today.
  const own = text.replaceAll(/^(# (HELP|TYPE) )?(tcp|udp|icmp)_.*\n/gm, '');
  assert.notEqual(own.length, text.length);
  const { code, said } = promtool(['check', 'metrics'], own);
  assert.deepEqual([code, said], [0, '']);
});

test('every query of every dashboard gives numbers', async () => {
  using workshop = new Workshop();
  const scatter = workshop.program('test/scatter.c');
  let open = questions();
  assert.ok(open.length > 50, `${open.length} queries`);
  const ask = async (): Promise<boolean> => {
    await sendBroken(scatter, 5);
    const answers = await Promise.all(open.map(({ expr }) => prometheus.query(expr)));
    open = open.filter((_, i) => !answers[i]!.some(({ value }) => Number.isFinite(value)));
    return open.length === 0;
  };
  await until(ask, 'all have answers', DEADLINE_MS).catch((error: Error) => {
    throw new Error(`${error.message}: ${open.map(({ place, expr }) => `\n${place}: ${expr}`).join('')}`);
  });
});

async function sendBroken(program: string, count: number): Promise<void> {
  const child = spawn('ip', ['netns', 'exec', HOST, program, 'eth0'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const lengths = new Uint8Array(new Uint32Array([BROKEN.length, BROKEN.length]).buffer);
  child.stdin.end(Buffer.concat(Array.from({ length: count }, () => [lengths, BROKEN]).flat()));
  assert.deepEqual(await once(child, 'close'), [0, null]);
}

test('broken frames are in the ledger by their reason, at the rate they come', async () => {
  await untilNumber(
    'sum(tunnelscope_ledger_packets_total{interface="eth0",reason="ipv4_truncated"})',
    (n) => n >= 5,
  );
});

test('in every scrape all traffic is what was recorded, and seen is recorded and ledger', async () => {
  const all = 'sum(tunnelscope_traffic_packets_total) + sum(tunnelscope_expired_packets_total)';
  assert.equal(await prometheus.number(`${all} - sum(tunnelscope_recorded_packets_total)`), 0);
  const rest = 'sum(tunnelscope_recorded_packets_total) + sum(tunnelscope_ledger_packets_total)';
  assert.equal(await prometheus.number(`sum(tunnelscope_seen_packets_total) - (${rest})`), 0);
  const fallen = await prometheus.number(`max_over_time((${all})[30s:1s]) - (${all})`);
  assert.ok(fallen! <= 0, `it never was more than now (${fallen})`);
});

test('with more flows than series the bound holds, and the rest is other of its interface', async () => {
  const words = ['netns', 'exec', PEER, process.execPath, '-e', SPRAY, '172.16.1.100'];
  assert.deepEqual(await once(spawn('ip', words, { stdio: 'inherit' }), 'exit'), [0, null]);
  const count = 'count(tunnelscope_traffic_wire_octets_total)';
  assert.ok((await untilNumber(count, (n) => n > 0.8 * SERIES)) <= SERIES);
  await untilNumber('sum(tunnelscope_traffic_wire_octets_total{interface="eth0",src="other"})', (n) => n > 0);
  assert.equal(await prometheus.number(`tunnelscope_traffic_series - scalar(${count})`), 0);
});

test('the kernel says what a frame costs', async () => {
  const seconds = 'sum(tunnelscope_program_run_seconds_total) / sum(tunnelscope_program_runs_total)';
  await untilNumber(seconds, (value) => value > 0);
  const runs = await prometheus.number(
    'sum(tunnelscope_program_runs_total) - sum(tunnelscope_seen_packets_total)',
  );
  assert.ok(runs! >= 0, 'a run for each frame that was seen');
});

test('the gauges of old are what they were: without labels, octets per second and milliseconds', async () => {
  for (const name of ['tcp_throughput', 'udp_goodput', 'icmp_throughput', 'udp_jitter_avg', 'icmp_seq_num']) {
    const [series] = await prometheus.query(`max_over_time(${name}[30s])`);
    assert.deepEqual(Object.keys(series!.metric).toSorted(), ['instance', 'job']);
    assert.ok(series!.value > 0, name);
  }
});

test('all rules are loaded and sound, and none fires', async () => {
  const settled = async (): Promise<boolean> => {
    const rules = await prometheus.rules();
    return rules.length > 0 && rules.every(({ health }) => health !== 'unknown');
  };
  await until(settled, 'the rules were evaluated', DEADLINE_MS);
  const rules = await prometheus.rules();
  assert.ok(rules.length >= 9);
  for (const { name, health, state, lastError } of rules) {
    assert.equal(health, 'ok', `${name}: ${lastError}`);
    assert.notEqual(state, 'firing', name);
  }
});

test('when the traffic has ended, the counters say exactly what was sent', async () => {
  const { streams } = await traffic.stop();
  const udp = streams.find(({ kind }) => kind === 'udp')!;
  const ping = streams.find(({ kind }) => kind === 'ping')!;
  const at = 'interface="eth0",direction="ingress"';
  const received = udp.forward.received;
  assert.ok(received.messages > 50);
  const inside = `${at},protocol="UDP",tunnel="vxlan",vni="10001",dport="5000"`;
  await untilNumber(`sum(tunnelscope_traffic_payload_octets_total{${inside}})`, (n) => n === received.octets);
  await untilNumber(`sum(tunnelscope_traffic_wire_packets_total{${inside}})`, (n) => n === received.messages);
  const times = `sum(tunnelscope_interarrival_seconds_count{${inside}})`;
  const pauses = await prometheus.number(`sum(tunnelscope_interarrival_pauses_total{${inside}})`);
  if (pauses === 0) await untilNumber(times, (n) => n === received.messages - 1);
  const numbers = `${at},protocol="ICMP",tunnel="none"`;
  for (const name of ['received', 'expected', 'unique']) {
    const family = `sum(tunnelscope_sequence_${name}_packets_total{${numbers}})`;
    await untilNumber(family, (n) => n === ping.backward.received.messages);
  }
  const replies = `sum(tunnelscope_traffic_payload_octets_total{${at},protocol="ICMP",tunnel="none"})`;
  await untilNumber(replies, (n) => n === ping.backward.received.octets);
});
