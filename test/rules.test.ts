/** Rules on real traffic between two namespaces: what they keep, and that changing them loses nothing of what is kept. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type DecodedRecord, decodeRecord, type FlowBatch } from '../src/flow/index.ts';
import { MeterThread } from '../src/meter/index.ts';
import { parseRuleText, readRule, type Status } from '../src/query/index.ts';
import { assertConserved } from './metering.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const FAR = 'tsrules-far';
const HERE = 'tsrules-here';
/** Echo requests, datagrams from port 4500, and TCP connections that are refused, of each as many. */
const COUNT = 10;

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function removeAll(): void {
  for (const name of [FAR, HERE])
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
}

before(() => {
  removeAll();
  for (const name of [FAR, HERE]) ip('netns', 'add', name);
  ip('-n', FAR, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', HERE);
  const addresses = { [FAR]: ['192.168.51.1', '192.168.51.4'], [HERE]: ['192.168.51.2', '192.168.51.3'] };
  for (const [name, own] of Object.entries(addresses)) {
    for (const address of own) ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  }
});
after(removeAll);

/** Runs a script inside a namespace. */
function inside(namespace: string, script: string): ChildProcess {
  const words = ['netns', 'exec', namespace, process.execPath, '--input-type=module', '-e', script];
  return spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function linesOf(child: ChildProcess): Promise<string[]> {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  return text.trim().split('\n');
}

/** Pings from the far side, datagrams and connections from here: each between addresses of its own. */
async function play(): Promise<void> {
  const ping = ['-n', '-q', '-c', String(COUNT), '-i', '0.01', '-I', '192.168.51.1', '192.168.51.2'];
  execFileSync('ip', ['netns', 'exec', FAR, 'ping', ...ping]);
  await linesOf(
    inside(
      HERE,
      `import { createSocket } from 'node:dgram'; import { connect } from 'node:net'; import { once } from 'node:events';
      const socket = createSocket('udp4');
      socket.bind(4500, '192.168.51.2'); await once(socket, 'listening');
      for (let i = 0; i < ${COUNT}; i++)
        await new Promise((done) => socket.send(Buffer.alloc(100), 9, '192.168.51.4', done));
      socket.close();
      for (let i = 0; i < ${COUNT}; i++) {
        const connection = connect({ host: '192.168.51.4', port: 81, localAddress: '192.168.51.3' });
        connection.on('error', () => undefined);
        await new Promise((done) => connection.on('close', done));
      }`,
    ),
  );
}

/** What was metered under one set of rules. */
interface Stage {
  readonly records: readonly DecodedRecord[];
  readonly excluded: bigint;
}

const nameOf = ({ network, protocol }: DecodedRecord): string =>
  network === 'arp' ? 'arp' : ({ 1: 'icmp', 6: 'tcp', 17: 'udp' }[protocol as number] ?? String(protocol));

/** Packets of the records by protocol, those of ARP and of the stack's own left out. */
function packetsOf(records: readonly DecodedRecord[]): Record<string, number> {
  const packets: Record<string, number> = {};
  for (const record of records.filter(({ network }) => network === 'ipv4')) {
    const name = nameOf(record);
    packets[name] = (packets[name] ?? 0) + Number(record.packets);
  }
  return packets;
}

/** A meter here; `during` gets it, and a way to have all that was metered since it was asked before. */
async function metered(
  rules: readonly string[],
  intervalMs: number,
  during: (meter: MeterThread, next: () => Promise<Stage>) => Promise<void>,
): Promise<FlowBatch[]> {
  const stopping = new AbortController();
  await using meter = await MeterThread.open({
    interfaces: ['eth0'],
    intervalMs,
    flowCapacity: 4096,
    hook: 'auto',
    namespace: HERE,
    rules: rules.map(parseRuleText),
  });
  const batches: FlowBatch[] = [];
  const collecting = (async () => {
    for await (const batch of meter.batches({ signal: stopping.signal })) batches.push(batch);
  })();
  let told = 0;
  const next = async (): Promise<Stage> => {
    // The one under way, and all of the one after it.
    const enough = batches.length + 2;
    await until(() => batches.length >= enough, 'epochs end');
    const fresh = batches.slice(told);
    told = batches.length;
    return {
      records: fresh.flatMap((batch) =>
        Array.from({ length: batch.length }, (_, row) => decodeRecord(batch.columns, row)),
      ),
      excluded: excludedIn(fresh),
    };
  };
  try {
    await during(meter, next);
  } finally {
    stopping.abort();
    await collecting;
  }
  for (const batch of batches) assertConserved(batch);
  return batches;
}

function excludedIn(batches: readonly FlowBatch[]): bigint {
  const lines = batches.flatMap(({ ledger }) => ledger).filter(({ reason }) => reason === 'excluded');
  return lines.reduce((sum, { packets }) => sum + packets, 0n);
}

/** Rules, and what they keep of {@link play} in packets, replies and refusals included. */
const STAGES: readonly (readonly [rules: readonly string[], kept: Record<string, number>])[] = [
  [[], { icmp: 2 * COUNT, udp: COUNT, tcp: 2 * COUNT }],
  [['- - - - [TCP,UDP]'], { udp: COUNT, tcp: 2 * COUNT }],
  [['- - - - [TCP, UDP]'], { udp: COUNT, tcp: 2 * COUNT }],
  [['192.168.51.1 - - - -'], { icmp: COUNT }],
  [['192.168.51.2 - 4500 - -'], { udp: COUNT }],
  [['- - - - -', '192.168.51.2 - - - TCP'], { icmp: 2 * COUNT, udp: COUNT, tcp: 2 * COUNT }],
  [['192.168.51.2 - - - TCP', '- - - - -'], { icmp: 2 * COUNT, udp: COUNT, tcp: 2 * COUNT }],
  [['- - - - ICMP', '- - - 81 TCP'], { icmp: 2 * COUNT, tcp: COUNT }],
  [['iface = eth* and direction = ingress and host in 192.168.51.0/30'], { icmp: COUNT, tcp: COUNT }],
  [['not proto = icmp and not tcp'], { udp: COUNT }],
  [['vni = 42'], {}],
];

describe('rules', () => {
  it('keep what they say of pings, datagrams and connections, and the rest is a line of the ledger', async () => {
    await metered([], 100, async (meter, next) => {
      for (const [rules, kept] of STAGES) {
        await meter.setRules(rules.map(parseRuleText));
        await next();
        await play();
        const { records, excluded } = await next();
        const found = packetsOf(records);
        // Nobody listens at port 9: the far side may say so, and limits how often.
        if (found.icmp !== undefined) {
          const refusals = records.filter(
            ({ icmpTypeCode }) => (icmpTypeCode as { type?: number } | null)?.type === 3,
          );
          found.icmp -= refusals.reduce((sum, record) => sum + Number(record.packets), 0);
        }
        if (found.icmp === 0) delete found.icmp;
        assert.deepEqual(found, kept, rules.join(' | '));
        const isAll = Object.values(kept).reduce((sum, each) => sum + each, 0) === 5 * COUNT;
        if (isAll) assert.equal(excluded, 0n, rules.join(' | '));
        else assert.ok(excluded >= 5 * COUNT - Object.values(kept).reduce((sum, each) => sum + each, 0));
      }
    });
  });

  it('that hold from the start hold for the first packet', async () => {
    const batches = await metered(['- - - - UDP'], 100, async (_meter, next) => {
      await play();
      const { records } = await next();
      assert.deepEqual(packetsOf(records), { udp: COUNT });
    });
    assert.ok(excludedIn(batches) >= 4 * COUNT);
  });

  it('change under load, and no packet is lost of a flow that all of them keep', async (t) => {
    const seconds = Math.max(1, scaled(3));
    const receiver = inside(
      FAR,
      `import { createSocket } from 'node:dgram';
      const socket = createSocket('udp4'); socket.bind(7000, '192.168.51.1', () => console.log('ready'));`,
    );
    await once(receiver.stdout!, 'data');
    const sets = [
      ['- - 4500 7000 UDP'],
      ['192.168.51.0/24 - 4000-5000 - -', '- - - - ICMP'],
      Array.from({ length: 500 }, (_, i) => `192.168.51.${(i + 2) % 256} 192.168.51.1 - ${7000 + i} -`),
      [],
      ['not tcp'],
    ];
    let sent = 0;
    let changes = 0;
    const batches = await metered(sets[0]!, 100, async (meter, next) => {
      const sending = linesOf(
        inside(
          HERE,
          `import { createSocket } from 'node:dgram'; import { once } from 'node:events';
          const socket = createSocket('udp4'); socket.bind(4500, '192.168.51.2'); await once(socket, 'listening');
          let sent = 0; const end = Date.now() + ${1000 * seconds};
          while (Date.now() < end) await new Promise((done) =>
            socket.send(Buffer.alloc(100), 7000, '192.168.51.1', (error) => { if (!error) sent++; done(); }));
          socket.close(); console.log(sent);`,
        ),
      ).then(([line]) => {
        sent = Number(line);
      });
      while (sent === 0) {
        await meter.setRules(sets[++changes % sets.length]!.map(parseRuleText));
      }
      await sending;
      await next();
    });
    receiver.kill();
    await once(receiver, 'exit');
    const recorded = batches
      .flatMap((batch) => Array.from({ length: batch.length }, (_, row) => decodeRecord(batch.columns, row)))
      .filter(({ sourcePort, protocol }) => sourcePort === 4500 && protocol === 17)
      .reduce((sum, record) => sum + Number(record.packets), 0);
    t.diagnostic(`${sent} datagrams, ${changes} changes`);
    assert.ok(sent > 1000 && changes > 5, `${sent} datagrams, ${changes} changes`);
    assert.equal(recorded, sent);
  });

  it('that cannot be used leave those before in force', async () => {
    const many = Array.from({ length: 400 }, (_, i) => {
      const fields = ['src', 'dst', 'sport', 'dport', 'vlan', 'mark', 'depth', 'direction', 'cast'] as const;
      const chosen = fields.filter((_, bit) => (i >> bit) & 1);
      const values = { src: '10.0.0.1', dst: '10.0.0.2', mark: 'esp', direction: 'in', cast: 'unicast' };
      return chosen
        .map((field) => `${field} = ${(values as Record<string, string>)[field] ?? 1 + (i % 9)}`)
        .join(' and ');
    }).filter((text) => text !== '');
    await metered(['- - - - UDP'], 100, async (meter, next) => {
      await assert.rejects(meter.setRules(many.map((text) => readRule(text, 'test'))), {
        code: 'METER_RULES',
        message: /the rules together come to more than can be compared with a packet/,
      });
      await play();
      assert.deepEqual(packetsOf((await next()).records), { udp: COUNT });
    });
  });
});

describe('rules of the command line', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsrules-'));
  after(() => rmSync(directory, { recursive: true }));

  it('that cannot be read end it, with the place of the mistake', () => {
    const file = join(directory, 'wrong');
    writeFileSync(file, '# two\n- - - - TCP # fine\n- - - 65536 TCP\n');
    const run = (...words: string[]): string => {
      try {
        execFileSync(process.execPath, [CLI, 'report', ...words], { stdio: 'pipe', encoding: 'utf8' });
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: string };
        assert.equal(status, 2);
        return stderr;
      }
      return assert.fail('it ran');
    };
    assert.match(
      run('--rule', 'tcp and octets > 5'),
      /--rule: column 9: "octets".*\n {2}tcp and octets > 5\n {10}\^{6}/,
    );
    assert.match(run('--rules-file', file), /wrong:3: column 7: "65536" is not a number/);
    assert.match(run('--rules-file', join(directory, 'none')), /--rules-file: .* is not a readable file/);
  });

  it('follow their file, also through SIGHUP, and say what they exclude', async () => {
    const file = join(directory, 'rules');
    writeFileSync(file, '- - - - ICMP\n');
    const words = ['--netns', HERE, '-i', 'eth0', '--interval', '200ms', '--listen', '127.0.0.1:0'];
    const monitor = spawn(process.execPath, [CLI, 'monitor', ...words, '--rules-file', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    try {
      const says = (what: RegExp): Promise<void> =>
        until(() => what.test(output), `the monitor says ${what}`);
      await says(/Page and API: http/);
      await says(/Kept is what fits the rule;/);
      const status = async (): Promise<Status> => {
        const url = /Page and API: (\S+)/.exec(output)![1]!;
        return (await (await fetch(`${url}api/v1/status`)).json()) as Status;
      };
      await play();
      await until(async () => (await status()).rules!.excluded.packets >= 3 * COUNT, 'the rest is excluded');
      assert.equal((await status()).rules!.count, 1);
      // As editors do it: another file in its place.
      writeFileSync(`${file}.new`, '- - - - ICMP\n- - - - UDP\n');
      renameSync(`${file}.new`, file);
      await says(/Kept is what fits one of 2 rules/);
      assert.equal((await status()).rules!.count, 2);
      writeFileSync(file, '- - - - ICMP\n- - - - UPD\n');
      await says(/Problem: .*rules:2: column 9: .*did you mean "udp".*; the rules stay as they were/);
      assert.equal((await status()).rules!.count, 2);
      monitor.kill('SIGHUP');
      await until(() => (output.match(/Problem: /g) ?? []).length === 2, 'SIGHUP has it read again');
      writeFileSync(file, '# nothing\n');
      await says(/No rules: everything is kept/);
      assert.equal((await status()).rules, null);
    } finally {
      const ended = once(monitor, 'exit');
      monitor.kill('SIGINT');
      await ended;
    }
  });
});
