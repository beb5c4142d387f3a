import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPair, ip, removePair, TcpEnd } from './socket-scene.ts';
import { TmuxScreen, WITHOUT_TMUX } from './tmux-screen.ts';
import { until } from './until.ts';

/* `top` as its user sees it: in a real tmux, of real traffic inside and outside a tunnel. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const [A, B] = ['tstop-a', 'tstop-b'] as const;
const TOKEN = 'a-token-of-the-test-of-top';
const PORT = 18_471;
const PATIENCE_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'tstop-'));
const pings: ChildProcess[] = [];
let near: TcpEnd | undefined;
let far: TcpEnd | undefined;
/** The TCP connection inside the tunnel. */
let connected = { number: 0, port: 0 };

const top = (...words: readonly string[]): string => [process.execPath, CLI, 'top', ...words].join(' ');
const metering = (...words: readonly string[]): string => top('--netns', A, '-i', 'eth0', ...words);

function ping(address: string, pause: string): void {
  const words = ['netns', 'exec', A, 'ping', '-q', '-i', pause, '-s', '900', address];
  pings.push(spawn('ip', words, { stdio: 'ignore' }));
}

before(async () => {
  if (WITHOUT_TMUX) return;
  buildPair([A, B]);
  for (const [i, name] of [A, B].entries()) {
    const ends = ['local', `10.79.0.${i + 1}`, 'remote', `10.79.0.${2 - i}`, 'dstport', '4789'];
    ip('-n', name, 'link', 'add', 'vx42', 'type', 'vxlan', 'id', '42', ...ends);
    ip('-n', name, 'address', 'add', `192.168.42.${i + 1}/24`, 'dev', 'vx42');
    ip('-n', name, 'link', 'set', 'vx42', 'up');
  }
  ping('192.168.42.2', '0.1');
  ping('10.79.0.2', '0.5');
  far = new TcpEnd(B);
  near = new TcpEnd(A);
  connected = await near.connect('192.168.42.2', await far.listen('192.168.42.2'));
});

after(async () => {
  for (const each of pings) each.kill();
  await near?.[Symbol.asyncDispose]();
  await far?.[Symbol.asyncDispose]();
  if (!WITHOUT_TMUX) removePair([A, B]);
  rmSync(directory, { recursive: true, force: true });
});

describe('top in a terminal of 80×24', { skip: WITHOUT_TMUX }, () => {
  test('shows names in place of addresses until n is pressed, and what tunnels leave of the MTU', async () => {
    const labels = join(directory, 'labels');
    writeFileSync(labels, '10.79.0.1 vtep near\n192.168.42.2 far client\nsegment vxlan:42 tenant red\n');
    using screen = new TmuxScreen(metering('--labels', labels, '--measure', 'sequence'));
    await screen.sees(/HEADROOM +LOSS$/);
    await screen.sees(/■ tenant r(ed|…) +vtep near +10\.79\.0\.2 .*\d B +0\.0 %$/);
    screen.keys('2');
    await screen.sees(/^.ICMP +192\.168\.42\.1 +far client +■ tenant/);
    screen.keys('d');
    await screen.sees(/^ +dst {2}192\.168\.42\.2 \(far client\)|^ +src {2}192\.168\.42\.2 \(far client\)/);
    screen.keys('Escape', 'n');
    await screen.sees(/^.ICMP +192\.168\.42\.1 +192\.168\.42\.2 +■ VNI 42/);
    screen.keys('q');
    await screen.sees(/^ended 0/);
  });

  test('shows each tab of real traffic, goes in and comes back, filters with completion, freezes, and ends', async () => {
    using screen = new TmuxScreen(metering());
    await screen.sees(/● all counted {2}live/);
    const tunnel = await screen.sees(/■ VNI 42 +10\.79\.0\.1 +10\.79\.0\.2 .*kbit\/s/);
    assert.ok(tunnel.length <= 80);
    assert.match(screen.lines[0]!, /in tstop-a · eth0/);

    screen.keys('Enter');
    await screen.sees(/All tunnels › flows in VNI 42, 10\.79\.0\.[12] and 10\.79\.0\.[12]/);
    await screen.sees(/^.ICMP +192\.168\.42\.[12] .*■ VNI 42/);
    assert.ok(!screen.lines.some((line) => /plain/.test(line)), 'only flows of that tunnel');
    screen.keys('Enter');
    await screen.sees(/^ +outer\.src {2}10\.79\.0\.[12]/);
    await screen.sees(/^ +segment {2}VNI 42/);
    screen.keys('Escape');
    screen.keys('BSpace');
    await screen.sees(/^ All tunnels +2 tunnels/);

    screen.keys('2');
    await screen.sees(/^.ICMP +10\.79\.0\.[12] .*■ plain/);
    screen.keys('/');
    screen.keys('-l', 'tun');
    await screen.sees(/tunnel +kind of any of the tunnels/);
    screen.keys('Tab');
    screen.keys('-l', 'vxl');
    await screen.sees(/^.*vxlan\b/);
    screen.keys('Tab');
    await screen.sees(/^ filter tunnel vxlan/);
    screen.keys('-l', 'or');
    screen.keys('Enter');
    await screen.sees(/^ +\^/);
    await screen.sees(/column \d+: expected/);
    screen.keys('BSpace', 'BSpace', 'Enter');
    await screen.sees(/^ All flows {2}where tunnel = vxlan, \d.* % left out/);
    assert.ok(!screen.lines.some((line) => /plain/.test(line)), screen.lines.join('\n'));
    screen.keys('Escape');
    await screen.sees(/■ plain/);

    await near!.write(connected.number, 50_000);
    screen.keys('3');
    const connection = new RegExp(`^.TCP +192\\.168\\.42\\.1:${connected.port} `);
    await screen.sees(connection);
    screen.keys('-l', '/tcp');
    screen.keys('Enter');
    await screen.sees(/^ All connections .* 1 connection$/);
    screen.keys('Enter');
    await screen.sees(/^ +round trip {2} *\d/);
    screen.keys('Escape', 'Escape');

    screen.keys('4');
    await screen.sees(/^.10\.79\.0\.1 .*\d+ %/);
    screen.keys('Enter');
    await screen.sees(/All hosts › clients of 10\.79\.0\.[12]/);
    await screen.sees(/192\.168\.42\.1 +■ VNI 42/);
    screen.keys('Enter');
    await screen.sees(/› flows of 192\.168\.42\.[12]/);

    screen.keys('5');
    await screen.sees(/eth0 ingress +seen by the hook +\d/);
    await screen.sees(/all explained at 2 of 2 observation points/);
    screen.keys('1', 'f');
    await screen.sees(/ frozen since \d\d:\d\d:\d\d, /);
    const rows = screen.lines.slice(4, 22);
    await screen.sees(/ frozen since .*, (?:[3-9]|\d\d) s/);
    assert.deepEqual(screen.lines.slice(4, 22), rows);
    screen.keys('f', '?');
    await screen.sees(/Keys/);
    screen.keys('x', 'q');
    await screen.sees(/^ended 0/);
    await screen.sees(/^before/);
    assert.equal(screen.modes, '1 0 0');
  });

  test('keeps to the size there is, also while that changes', async () => {
    using screen = new TmuxScreen(metering('--tab', 'flows'));
    await screen.sees(/■ VNI 42/);
    screen.resize(140, 40);
    await screen.sees(/TUNNEL .*PACKETS .*SHARE +TREND/);
    await screen.sees(/10\.79\.0\.1 › 10\.79\.0\.2/);
    screen.resize(39, 12);
    await screen.sees(/too small: 40×10 is needed/);
    screen.resize(60, 12);
    await screen.sees(/^.ICMP .*bit\/s/);
    screen.keys('q');
    await screen.sees(/^ended 0/);
  });

  test('gives the terminal back when it is ended by a signal, or stopped, and takes it again', async () => {
    using screen = new TmuxScreen(metering());
    await screen.sees(/live/);
    assert.equal(screen.modes, '0 1 1');
    screen.keys('C-z');
    await screen.sees(/^before/);
    assert.equal(screen.modes, '1 0 0');
    screen.keys('-l', 'fg');
    screen.keys('Enter');
    await screen.sees(/● all counted/);
    assert.equal(screen.modes, '0 1 1');
    process.kill(childOf(screen.shell), 'SIGTERM');
    await screen.sees(/^before/);
    await until(() => screen.modes === '1 0 0', 'the terminal is given back', PATIENCE_MS);
    const settings = await settingsOf(screen);
    assert.match(settings, / icanon /);
    assert.match(settings, / echo /);
  });
});

/** The one child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

/** What stty says, on the screen. */
async function settingsOf(screen: TmuxScreen): Promise<string> {
  const file = join(directory, 'stty');
  screen.keys('-l', `stty -a > ${file}; echo written`);
  screen.keys('Enter');
  await screen.sees(/^(\$ )?written/);
  return readFileSync(file, 'utf8').replaceAll(/[\n;]/g, ' ');
}

describe('colours of top', { skip: WITHOUT_TMUX }, () => {
  /** Escapes that the program itself wrote, before tmux made others of them. */
  const KINDS = { none: /\[(3[0-7]|9[0-7]|38|48)[;m]/, sixteen: /\[(3[0-7]|9[0-7])m/, many: /\[38;5;\d+m/ };

  test('are 256 where TERM has them, 16 where it has those, and none with NO_COLOR', async () => {
    const seen = async (environment: Record<string, string>): Promise<string> => {
      using screen = new TmuxScreen(metering(), { environment });
      await screen.sees(/■ VNI 42/);
      const { coloured } = screen;
      screen.keys('q');
      await screen.sees(/^ended 0/);
      return coloured;
    };
    assert.match(await seen({ TERM: 'screen-256color', COLORTERM: '' }), KINDS.many);
    const sixteen = await seen({ TERM: 'screen', COLORTERM: '' });
    assert.match(sixteen, KINDS.sixteen);
    assert.doesNotMatch(sixteen, /\[38;/);
    const none = await seen({ TERM: 'screen-256color', NO_COLOR: '1' });
    assert.doesNotMatch(none, KINDS.none);
    assert.match(none, /\[[\d;]*7m/);
  });

  test('and signs are ASCII where the locale is not UTF-8', async () => {
    using screen = new TmuxScreen(metering(), { environment: { LC_ALL: 'C' } });
    const row = await screen.sees(/\* VNI 42/);
    assert.match(row, /^[\x20-\x7e]*$/);
    screen.keys('q');
    await screen.sees(/^ended 0/);
  });
});

describe('what top writes', { skip: WITHOUT_TMUX }, () => {
  /** Of each tab, the heads that are never left out, and a row of what is there. */
  const TABS = {
    tunnels: [/FROM +TO .*RATE/, /■ VNI 42 +10\.79\.0\.1 +10\.79\.0\.2 .*bit\/s/],
    flows: [/PROTO.* SOURCE +DESTINATION .*RATE/, /^.ICMP .*bit\/s/],
    connections: [/FROM +TO +STATE +SENT/, /^.ICMP .*KiB/],
    hosts: [/HOST +SENT +RECEIVED/, /^.10\.79\.0\.1 .*%/],
    ledger: [/POINT +LINE +PACKETS/, /eth0 ingress +seen by the hook +\d/],
  } as const;
  /** Octets of a second, in which there is an epoch and a tick: half of the glyphs of a screen of 80×24. */
  const SECOND_OCTETS = 960;

  for (const [tab, [heads, row]] of Object.entries(TABS))
    test(`at 80×24 is a small part of a screen each second, in the tab ${tab}`, async () => {
      using screen = new TmuxScreen(metering('--tab', tab));
      await screen.sees(row);
      await screen.sees(heads);
      const seconds = 4;
      const written = await screen.written(
        () => new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
      );
      assert.ok(written / seconds < SECOND_OCTETS, `${written / seconds} octets/s`);
      screen.keys('q');
      await screen.sees(/^ended 0/);
    });

  test('is next to nothing while nothing changes, and some kilobytes while numbers do', async () => {
    using screen = new TmuxScreen(metering());
    await screen.sees(/■ VNI 42/);
    const seconds = 6;
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    const changing = (await screen.written(pause)) / seconds;
    assert.ok(changing > 0 && changing < 4000, `${changing} octets/s while numbers change`);
    screen.keys('f');
    await screen.sees(/frozen since/);
    const frozen = (await screen.written(pause)) / seconds;
    // The age of what is frozen, once a second.
    assert.ok(frozen < 150, `${frozen} octets/s while nothing changes`);
    screen.keys('q');
    await screen.sees(/^ended 0/);
  });

  test('does not pile up on a line that takes nothing for a while: frames in between are left out', async () => {
    // script(1) owns the other end of the terminal: while it is stopped nobody reads.
    const command = `stty cols 80 rows 24; ${metering('--interval', '100ms')}`;
    const child = spawn('script', ['-qfc', command, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let octets = 0;
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      octets += Buffer.byteLength(more);
      text = (text + more).slice(-20_000);
    });
    await until(() => text.includes('VNI 42'), 'it shows the tunnel', PATIENCE_MS);
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 8000));
    octets = 0;
    const continuedMs = performance.now();
    child.kill('SIGCONT');
    await until(() => octets > 0, 'it is read again');
    child.stdin.write('q');
    await ended;
    const seconds = (performance.now() - continuedMs) / 1000;
    // What a terminal holds, the frame that waited for it, and what is new since; not eighty frames.
    assert.ok(octets < 12_000 + 40_000 * seconds, `${octets} octets in ${seconds} s`);
    assert.ok(text.endsWith('\x1b[?1049l') || text.includes('\x1b[?1049l'), 'the terminal is given back');
  });
});

describe('top of others', { skip: WITHOUT_TMUX }, () => {
  const child = (): ChildProcess => {
    writeFileSync(join(directory, 'token'), `${TOKEN}\n`);
    const words = ['monitor', '--netns', A, '-i', 'eth0', '--listen', `127.0.0.1:${PORT}`];
    return spawn(process.execPath, [CLI, ...words, '--token-file', join(directory, 'token')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };

  test('asks an agent with its token, says that it has gone, and finds it again', async () => {
    let agent = child();
    await once(agent.stdout!, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    const address = `http://127.0.0.1:${PORT}`;
    using screen = new TmuxScreen(top('--connect', address, '--token-file', join(directory, 'token')), {
      columns: 100,
    });
    await screen.sees(/■ VNI 42 +10\.79\.0\.1 +10\.79\.0\.2 .*bit\/s/);
    screen.keys('3');
    await screen.sees(/Connections are told by the sockets of the host itself/);
    screen.keys('2');
    await screen.sees(/^.ICMP .*■ VNI 42/);
    agent.kill('SIGTERM');
    await once(agent, 'exit');
    await screen.sees(/ no answer for \d+ s/);
    await screen.sees(/No agent answers: nothing listens there; asking again/);
    assert.ok(
      screen.lines.some((line) => /■ VNI 42/.test(line)),
      'the last figures stay',
    );
    agent = child();
    try {
      await screen.sees(/ live$/);
      await screen.sees(/^.ICMP .*■ VNI 42/);
    } finally {
      screen.keys('q');
      agent.kill('SIGTERM');
      await once(agent, 'exit');
    }
    await screen.sees(/^ended 0/);
  });

  test('says on the command line what is wrong, before it takes the screen', () => {
    const run = (...words: readonly string[]): { code: number | null; err: string } => {
      const script = ['-qec', top(...words), '/dev/null'];
      const { status, stdout } = spawnSync('script', script, {
        encoding: 'utf8',
        input: '',
        timeout: PATIENCE_MS,
      });
      return { code: status, err: stdout };
    };
    const nobody = run('--connect', '127.0.0.1:18479');
    assert.equal(nobody.code, 1);
    assert.match(
      nobody.err,
      /^tunnelscope: No agent answers at http:\/\/127\.0\.0\.1:18479\/: nothing listens there/,
    );
    const unknown = run('--name', 'tstop-nobody');
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /tstop-nobody/);
  });

  test('needs a terminal: elsewhere it ends with code 2, and names what does not', () => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'top'], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /top needs a terminal.*"tunnelscope report"/);
    assert.throws(
      () => execFileSync(process.execPath, [CLI, 'top', '--window', '7s'], { stdio: 'pipe' }),
      /5s, 1m, all/,
    );
  });
});
