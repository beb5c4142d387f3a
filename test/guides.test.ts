/** Every command of docs/guides is typed on machines made for it, and what the guides show is what comes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { missingLine, type Step, stepsOf, type Typed } from './guide.ts';
import { SCENES, type Scene, type SceneName } from './guide-scenes.ts';
import { until } from './until.ts';

const ROOT = new URL('..', import.meta.url).pathname;
/** Commands that only look: what they show may take some epochs to be so. */
const LOOKS = /^(curl|ping|tunnelscope (status|report|audit|measure|logs|query|vnet \S* ?show))\b/;
const PATIENCE_MS = 60_000;

interface Guide {
  readonly name: string;
  readonly text: string;
  readonly scene: string;
}

const guides: readonly Guide[] = globSync('docs/guides/*.md', { cwd: ROOT })
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return {
      name: basename(path, '.md'),
      text,
      scene: /^<!-- scene: (\w+) -->$/m.exec(text)?.[1] ?? 'pinged',
    };
  });

test('there are guides, each has a scene that there is, and each scene is of some guide', () => {
  assert.ok(guides.length >= 8);
  assert.deepEqual([...new Set(guides.map(({ scene }) => scene))].toSorted(), Object.keys(SCENES).toSorted());
});

for (const { name, text, scene: sceneName } of guides) {
  test(`what the guide ${name} says to do is done`, { timeout: 600_000 }, async () => {
    const steps = stepsOf(text);
    assert.ok(steps.filter(({ kind }) => kind === 'typed').length >= 3, 'it has commands');
    const directory = mkdtempSync(join(tmpdir(), 'tsguide-'));
    try {
      await using scene = await SCENES[sceneName as SceneName](directory);
      for (const step of steps) await follow(step, { scene, directory });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

async function follow(step: Step, at: { readonly scene: Scene; readonly directory: string }): Promise<void> {
  if (step.kind === 'written') return writeFileSync(join(at.directory, step.name), step.content);
  const isLook = LOOKS.test(step.command) && !step.command.endsWith('&');
  let outcome: string | undefined;
  if (!isLook) outcome = await type(step, at);
  else
    await until(
      async () => {
        outcome = await type(step, at);
        return outcome === undefined;
      },
      'it shows what the guide shows',
      PATIENCE_MS,
    ).catch(() => undefined);
  assert.equal(outcome, undefined, `${step.machine}$ ${step.command}`);
}

/** Who serves something says so too early: whoever typed it looks for the port, or takes a moment. */
const SERVES = /^iperf3 -s(?: -p (\d+))?/;
const LISTENERS = 'ss -Hltn';

async function listening(
  command: string,
  look: () => ReturnType<Scene['machines'][string]['begin']>,
): Promise<void> {
  const [serves, port = '5201'] = SERVES.exec(command) ?? [];
  if (serves === undefined) return;
  await until(
    async () => {
      const { child, said } = look();
      await once(child, 'exit');
      return said().includes(`:${port} `);
    },
    `something listens at ${port}`,
    PATIENCE_MS,
  );
}

/** Types a command. @returns what is not as the guide says */
async function type(
  { machine, command, shown }: Typed,
  { scene, directory }: { readonly scene: Scene; readonly directory: string },
): Promise<string | undefined> {
  const { child, said } = (scene.machines[machine] ?? assert.fail(`no machine "${machine}"`)).begin(
    command,
    directory,
  );
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  if (!isOver()) await once(child, 'exit');
  clearTimeout(timer);
  if (child.exitCode !== 0) return `it ended with ${child.exitCode ?? child.signalCode}:\n${said()}`;
  if (command.endsWith('&')) {
    await until(() => missingLine(shown, said()) === undefined, 'it is ready', PATIENCE_MS).catch(
      () => undefined,
    );
    await listening(command, () => scene.machines[machine]!.begin(LISTENERS, directory));
  }
  const missing = missingLine(shown, said());
  return missing === undefined ? undefined : `"${missing}" is not in:\n${said()}`;
}
