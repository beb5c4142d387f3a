/** Connections as they are told: exact ones of captures, real ones of sockets. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../src/measure/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-connections-'));
const [A, B] = ['tscn-a', 'tscn-b'];

before(() => {
  for (const name of [A, B]) {
    spawnSync('ip', ['netns', 'del', name]);
    execFileSync('ip', ['netns', 'add', name]);
  }
  execFileSync('ip', ['link', 'add', 'eth0', 'netns', A, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', B]);
  for (const [name, address] of [
    [A, '10.77.0.1/24'],
    [B, '10.77.0.2/24'],
  ] as const) {
    execFileSync('ip', ['-n', name, 'addr', 'add', address, 'dev', 'eth0']);
    execFileSync('ip', ['-n', name, 'link', 'set', 'eth0', 'up']);
  }
});
after(() => {
  rmSync(directory, { recursive: true });
  for (const name of [A, B]) spawnSync('ip', ['netns', 'del', name]);
});

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

interface Segment {
  readonly back?: true;
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly payload?: number;
}

/** A segment between 10.0.0.1:1234 and 10.0.0.2:80. */
function segment({ back, flags, sequence, acknowledgment = 0, payload = 0 }: Segment): Uint8Array {
  const [source, destination] = back ? ['10.0.0.2', '10.0.0.1'] : ['10.0.0.1', '10.0.0.2'];
  const [sourcePort, destinationPort] = back ? [80, 1234] : [1234, 80];
  return packet()
    .eth()
    .ipv4({ source, destination })
    .tcp({ sourcePort, destinationPort, flags, sequence, acknowledgment })
    .payload(payload)
    .build();
}

/** A whole connection of seven segments that begins with this number. */
function whole(number: number): Segment[] {
  return [
    { flags: SYN, sequence: number },
    { back: true, flags: SYN | ACK, sequence: 9000, acknowledgment: number + 1 },
    { flags: ACK, sequence: number + 1, acknowledgment: 9001, payload: 100 },
    { back: true, flags: ACK, sequence: 9001, acknowledgment: number + 101, payload: 300 },
    { flags: FIN | ACK, sequence: number + 101, acknowledgment: 9301 },
    { back: true, flags: FIN | ACK, sequence: 9301, acknowledgment: number + 102 },
    { flags: ACK, sequence: number + 102, acknowledgment: 9302 },
  ];
}

function read(segments: readonly (readonly [ms: number, Segment])[], words: readonly string[] = []): string {
  const path = join(directory, 'connections.pcap');
  const begin = Date.UTC(2022, 1, 16, 18, 30, 33);
  const packets = segments.map(([ms, each]) => ({
    octets: segment(each),
    timeNs: BigInt(begin + ms) * 1_000_000n,
  }));
  writeFileSync(path, writePcap(packets, { nanoseconds: true }));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'read', '--connections', ...words, path],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, TZ: 'UTC' },
    },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

function connectionsOf(lines: string): (Connection & { readonly start: string })[] {
  return lines
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('a connection is told with when it began, how long it lasted and how it ended (C10)', () => {
  const times = [0, 50, 100, 150, 200, 250, 325];
  const text = read(whole(500).map((each, i) => [times[i]!, each]));
  assert.equal(
    text,
    [
      'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES   ANSWERS BYTES',
      'TCP      10.0.0.1:1234         10.0.0.2:80           4       316     3       462     ' +
        'Connection started: 2022-02-16 18:30:33, duration: 325 ms, finished',
      '',
    ].join('\n'),
  );
});

test('ports that are used again make two connections, each with its own counts (C10)', () => {
  const first = whole(500).map((each, i): [number, Segment] => [10 * i, each]);
  const second = whole(70_000).map((each, i): [number, Segment] => [1000 + 20 * i, each]);
  const connections = connectionsOf(read([...first, ...second], ['--json']));
  assert.deepEqual(
    connections.map(({ packets, answerPackets, durationMs, close, start }) => ({
      packets,
      answerPackets,
      durationMs,
      close,
      start,
    })),
    [
      { packets: 4, answerPackets: 3, durationMs: 60, close: 'finished', start: '2022-02-16T18:30:33.000Z' },
      { packets: 4, answerPackets: 3, durationMs: 120, close: 'finished', start: '2022-02-16T18:30:34.000Z' },
    ],
  );
});

test('who opened is the source, whichever end sorts first', () => {
  const turned = whole(500).map((each, i): [number, Segment] => {
    const { back, ...rest } = each;
    return [i, back ? rest : { ...rest, back: true }];
  });
  const [connection] = connectionsOf(read(turned, ['--json']));
  assert.equal(connection?.source, '10.0.0.2:80');
  assert.equal(connection?.destination, '10.0.0.1:1234');
  assert.deepEqual(
    [connection?.packets, connection?.payloadOctets, connection?.answerPayloadOctets],
    [4, 100, 300],
  );
});

test('refused, reset, and begun before anyone looked are said', () => {
  const refused = read([
    [0, { flags: SYN, sequence: 1 }],
    [1, { back: true, flags: RST | ACK, sequence: 0, acknowledgment: 2 }],
  ]);
  assert.match(refused, /duration: 1\.000 ms, refused$/m);
  const reset = read([
    ...whole(1)
      .slice(0, 4)
      .map((each, i): [number, Segment] => [i, each]),
    [9, { back: true, flags: RST, sequence: 9301 }],
  ]);
  assert.match(reset, /reset by answerer$/m);
  const middle = read(
    whole(1)
      .slice(2, 4)
      .map((each, i): [number, Segment] => [i, each]),
  );
  assert.match(middle, /open, begun before it was seen$/m);
});

const COUNT = 60;
const SERVER = `
  const server = require('node:net').createServer((socket) => socket.on('data', () => socket.end('x'.repeat(5000))));
  server.listen(8077, '10.77.0.2', () => console.log('ready'));
`;
/** Connections one after the other, each of its own few milliseconds. */
const CLIENT = `
  const net = require('node:net');
  (async () => {
    for (let i = 0; i < ${COUNT}; i++) {
      await new Promise((resolve, reject) => {
        const socket = net.connect(8077, '10.77.0.2', () => socket.write('hello'));
        socket.on('data', () => undefined).on('close', resolve).on('error', reject);
      });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
`;

test('short connections are all told, whatever the interval, with all they carried', async () => {
  const server = spawn('ip', ['netns', 'exec', B, process.execPath, '-e', SERVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const words = ['report', '--netns', B, '-i', 'eth0', '--connections', '--json', '-f', '300ms'];
  const report = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    await once(server.stdout!, 'data', { signal: AbortSignal.timeout(20_000) });
    for await (const line of createInterface({ input: report.stderr!, signal: AbortSignal.timeout(20_000) }))
      if (line.startsWith('Metering')) break;
    const known = new Map<string, Connection>();
    const reading = (async () => {
      for await (const line of createInterface({ input: report.stdout! })) {
        const connection = JSON.parse(line) as Connection;
        if (connection.destination === '10.77.0.2:8077') known.set(connection.source, connection);
      }
    })();
    execFileSync('ip', ['netns', 'exec', A, process.execPath, '-e', CLIENT], { timeout: 60_000 });
    report.kill('SIGINT');
    await reading;
    assert.equal(known.size, COUNT);
    for (const { close, payloadOctets, answerPayloadOctets, isOpenerKnown, hasHandshake } of known.values())
      assert.deepEqual(
        { close, payloadOctets, answerPayloadOctets, isOpenerKnown, hasHandshake },
        {
          close: 'finished',
          payloadOctets: 5,
          answerPayloadOctets: 5000,
          isOpenerKnown: true,
          hasHandshake: true,
        },
      );
  } finally {
    server.kill('SIGKILL');
    report.kill('SIGKILL');
  }
});
