/** Every command of README and docs/*.md does what it is there for: it ends well, or goes on until Ctrl-C and then ends well. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { commandsOf, isEndless, yamlOf } from './document-commands.ts';
import { SCENES, type SceneName } from './guide-scenes.ts';
import type { Begun, Machine } from './machine.ts';

const ROOT = new URL('..', import.meta.url).pathname;
/** Labs of this test beside those of others. */
const PREFIX = 'tsdoc-';
/** What goes on until Ctrl-C is left to itself for so long, unless it has said something before. */
const LOOK_MS = 20_000;
const PATIENCE_MS = 90_000;
/** What goes on into another program does for so long. */
const PIPED_S = 10;

/** Documents whose commands other tests type. */
const ELSEWHERE = ['api.md', 'filter.md', 'query.md'];
/** It wants a terminal, and has one in test/top.test.ts. */
const TERMINAL = /^tunnelscope top\b/;
const SYSTEMD = 'no systemd runs where the tests do; what the unit allows is tried in test/service.test.ts';
const hasSystemd = existsSync('/run/systemd/system');

/** What has to be there before a command, by what it speaks to; the first that fits holds. */
const NEEDS: readonly (readonly [RegExp, string])[] = [
  [
    /^tunnelscope (query|export|stop --|audit (last|--json))/,
    'tunnelscope start --detached -i eth0 --history kept',
  ],
  [/^tunnelscope (status|reload|logs|stop|rules)\b/, 'tunnelscope start --detached --config default.yaml'],
  [/^tunnelscope audit --agent/, 'tunnelscope start --detached --config default.yaml'],
  [/^tunnelscope vnet bridge (show$|show --|peer)/, 'tunnelscope vnet bridge run --config bridge.yaml'],
  [/vnet relay show ts-/, 'tunnelscope lab up virtual-topology'],
  [/ts-r-host0/, 'tunnelscope lab up virtual-topology-tenants'],
  [/vnet gateway show ts-/, 'tunnelscope lab up gateway'],
  [/vnet bridge show ts-/, 'tunnelscope lab up bridge-mesh'],
  [/^tunnelscope vnet show/, 'tunnelscope lab up bridge-mesh'],
  [/(--netns ts-|lab status)/, 'tunnelscope lab up bridge-dhcp'],
];
const NOTHING = '';

const SCENE_OF: Readonly<Record<string, SceneName>> = { 'gateway.md': 'gateway', 'bridge.md': 'bridges' };

const documents = ['README.md', ...globSync('docs/*.md', { cwd: ROOT }).toSorted()]
  .filter((path) => !ELSEWHERE.some((name) => path.endsWith(name)))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
  .filter(({ text }) => commandsOf(text).some((each) => !TERMINAL.test(each)));

test('there are commands in the documents', () => {
  assert.ok(documents.flatMap(({ text }) => commandsOf(text)).length >= 40);
});

for (const { path, text } of documents)
  test(`the commands of ${path}`, { timeout: 900_000 }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'tsdocument-'));
    try {
      await using scene = await SCENES[SCENE_OF[path.replace('docs/', '')] ?? 'pinged'](directory, 'tsd');
      const machine = scene.machines[''] ?? scene.machines.host1!;
      await using reader = new Reader(machine, directory);
      await reader.prepare(yamlOf(text)[0]);
      for (const command of commandsOf(text).filter((each) => !TERMINAL.test(each))) {
        if (command.startsWith('systemctl') && !hasSystemd) t.diagnostic(`${command}: ${SYSTEMD}`);
        else await reader.type(command);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

/** Who types the commands, on a machine whose /etc and /var can be written to without a trace. */
class Reader implements AsyncDisposable {
  readonly #machine: Machine;
  readonly #directory: string;
  /** What was made for the last command. */
  #stands: string = NOTHING;
  /** Of that, what goes on. */
  #running: Begun | undefined;

  constructor(machine: Machine, directory: string) {
    this.#machine = machine;
    this.#directory = directory;
  }

  /** @param yaml the first configuration of the document */
  async prepare(yaml: string | undefined): Promise<void> {
    const at = (name: string): string => join(this.#directory, name);
    const capture = readFileSync(join(ROOT, 'test/captures/vxlan.pcap'));
    for (const name of ['trace.pcap', 'trace.pcapng']) writeFileSync(at(name), capture);
    writeFileSync(at('trace.pcapng.zst'), zstdCompressSync(capture));
    writeFileSync(at('default.yaml'), 'interfaces: [eth0]\n');
    for (const name of ['bridge.yaml', 'gateway.yaml']) writeFileSync(at(name), yaml ?? '');
    cpSync('/etc', at('etc'), { recursive: true, verbatimSymlinks: true });
    mkdirSync(at('etc/tunnelscope'), { recursive: true });
    writeFileSync(at('etc/tunnelscope/rules'), '- - - 22 TCP\n');
    await this.#done('mount --bind etc /etc && mount -t tmpfs tmpfs /var/lib');
    await this.#done('ip link show veth3 || ip link add veth3 type veth');
    await this.#done('ip route replace default dev eth0');
  }

  /** Types a command of the document, after what it needs. */
  async type(command: string): Promise<void> {
    const need = NEEDS.find(([what]) => what.test(command))?.[1] ?? NOTHING;
    if (need !== this.#stands || need === NOTHING) {
      await this.#tidy();
      if (isEndless(need)) this.#running = this.#machine.begin(`exec ${need}`, this.#directory);
      else if (need !== NOTHING) await this.#done(adapted(need));
      this.#stands = need;
    }
    const [endless, ...behind] = command.split(' | ');
    if (isEndless(command) && behind.length > 0)
      await this.#done([`timeout -s INT ${PIPED_S} ${adapted(endless!)}`, ...behind].join(' | '));
    else if (isEndless(command)) await this.#interrupted(adapted(command));
    else await this.#done(adapted(command));
    if (/^tunnelscope (stop|start|lab up)/.test(command)) this.#stands = `after ${command}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tidy();
  }

  async #tidy(): Promise<void> {
    if (this.#stands === NOTHING) return;
    if (this.#running) await interrupt(this.#running);
    this.#running = undefined;
    await this.#done('tunnelscope stop --all');
    if (/lab up/.test(this.#stands)) await this.#done(`tunnelscope lab down --prefix ${PREFIX}`);
    this.#stands = NOTHING;
  }

  /** Waits until it has ended well. A look at what is just beginning may need a second one. */
  async #done(command: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const begun = this.#machine.begin(command, this.#directory);
      if ((await codeOf(begun)) === 0) return;
      if (performance.now() > deadline || !/ (show|status|peer|query)\b/.test(command))
        assert.fail(`${command}: it ended with ${begun.child.exitCode}:\n${begun.said()}`);
      await delay(1000);
    }
  }

  /** Lets it show something, and interrupts it as Ctrl-C does. */
  async #interrupted(command: string): Promise<void> {
    const begun = this.#machine.begin(`exec ${command}`, this.#directory);
    const deadline = performance.now() + (command.includes(' demo ') ? PATIENCE_MS : LOOK_MS);
    const isReady = (): boolean =>
      (command.includes(' demo ') ? /^HTTPServer listening on /m : /^(?!Warning).+/m).test(begun.said());
    while (!isReady() && begun.child.exitCode === null && performance.now() < deadline) await delay(100);
    assert.equal(await interrupt(begun), 0, `${command}:\n${begun.said()}`);
  }
}

/** As Ctrl-C does. @returns its exit code */
async function interrupt(begun: Begun): Promise<number | null> {
  if (begun.child.exitCode === null) begun.child.kill('SIGINT');
  return codeOf(begun);
}

/** The labs of this test have names of their own. */
function adapted(command: string): string {
  const own = command.replaceAll(/(?<= )ts-/g, PREFIX).replace(/ \/tmp$/, ' .');
  return /^tunnelscope (lab|demo) /.test(own) ? `${own} --prefix ${PREFIX}` : own;
}

async function codeOf({ child }: Begun): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(timer);
  return child.exitCode;
}
