/** `tunnelscope install-service`: the systemd unit, what one configuration asks for beyond it, and a first configuration. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { parseInstance, readConfigFile, resolveConfiguration } from '../config/index.ts';
import { formatDropIn, formatUnit, UNIT_FILE, type UnitNeeds } from '../daemon/index.ts';
import { EXIT, Exit } from './exit.ts';
import { DEFAULT_INSTANCE } from './steering.ts';

interface ServiceWords {
  readonly print?: true;
  readonly uninstall?: true;
  readonly root: string;
}

const PROGRAM = fileURLToPath(new URL('../../tunnelscope', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/service.md', import.meta.url));

const UNITS = '/etc/systemd/system';
const BPF_FILES = '/sys/fs/bpf';
const DROP_IN = '10-configuration.conf';

const FIRST_CONFIGURATION = `# Configuration of tunnelscope; every key has a default. "tunnelscope config check" says whether it is right,
# docs/configuration.md what there is.
#interfaces: [eth0]
#interval: 1s
#serve:
#  listen: 127.0.0.1:8080
`;

/** Adds `install-service` to the program. */
export function addServiceCommand(program: Command): void {
  program
    .command('install-service')
    .description(
      'write a hardened systemd unit, what the configuration of NAME needs beyond it, and that configuration if there is none',
    )
    .argument(
      '[name]',
      'of the instance: tunnelscope@NAME.service, /etc/tunnelscope/NAME.yaml',
      DEFAULT_INSTANCE,
    )
    .option('--print', 'print them, write nothing')
    .option('--uninstall', 'disable and remove what was written, but for the configuration')
    .option('--root <directory>', 'write under it, for images; systemd is not told', '/')
    .action(installService);
}

function installService(named: string, words: ServiceWords): void {
  const name = parseInstance('NAME', named);
  const paths = {
    unit: join(words.root, UNITS, UNIT_FILE),
    dropIn: join(words.root, UNITS, `tunnelscope@${name}.service.d`, DROP_IN),
    configuration: join(words.root, 'etc/tunnelscope', `${name}.yaml`),
  };
  const isHere = words.root === '/' && existsSync('/run/systemd/system');
  if (words.uninstall) {
    uninstall(name, paths, isHere);
    return;
  }
  const unit = formatUnit({ program: PROGRAM, document: DOCUMENT });
  const dropIn = existsSync(paths.configuration) ? formatDropIn(needsOf(paths.configuration)) : undefined;
  if (words.print) {
    process.stdout.write(
      `# ${paths.unit}\n${unit}${dropIn === undefined ? '' : `\n# ${paths.dropIn}\n${dropIn}`}`,
    );
    return;
  }
  write(paths.unit, unit);
  if (dropIn === undefined) removeDropIn(paths.dropIn);
  else write(paths.dropIn, dropIn);
  if (!existsSync(paths.configuration)) write(paths.configuration, FIRST_CONFIGURATION, 0o640);
  if (isHere) systemctl('daemon-reload');
  process.stdout.write(`Next: systemctl enable --now tunnelscope@${name}\n`);
}

function needsOf(path: string): UnitNeeds {
  const { configuration } = resolveConfiguration({ file: readConfigFile(path) });
  const { namespace, history, json, log, control } = configuration;
  return {
    entersNamespace: namespace !== undefined,
    writes: [
      // A history's programs and counts outlive the process there.
      ...(history.directory === undefined ? [] : [history.directory, BPF_FILES]),
      ...(json.directory === undefined ? [] : [json.directory]),
      ...(log.data.file === undefined ? [] : [dirname(log.data.file)]),
    ],
    group: control.group,
  };
}

function uninstall(
  name: string,
  paths: { readonly unit: string; readonly dropIn: string; readonly configuration: string },
  isHere: boolean,
): void {
  const isInstalled = existsSync(paths.unit);
  if (isHere && isInstalled) systemctl('disable', '--now', `tunnelscope@${name}`);
  removeDropIn(paths.dropIn);
  const others = instancesIn(dirname(paths.unit)).filter((each) => each !== name);
  if (others.length === 0) remove(paths.unit);
  if (isHere) systemctl('daemon-reload');
  const left = existsSync(paths.configuration) ? `; ${paths.configuration} is left` : '';
  const kept = others.length === 0 ? '' : `; the unit stays for ${others.join(', ')}`;
  process.stdout.write(`${isInstalled ? 'Removed' : 'Nothing was installed'}${kept}${left}\n`);
}

/** Names of the instances that are enabled or have a drop-in. */
function instancesIn(units: string): string[] {
  const files = [units, join(units, 'multi-user.target.wants')].flatMap((path) =>
    existsSync(path) ? readdirSync(path) : [],
  );
  return [...new Set(files.flatMap((file) => /^tunnelscope@(.+)\.service(\.d)?$/.exec(file)?.[1] ?? []))];
}

function write(path: string, text: string, mode = 0o644): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  } catch (error) {
    throw new Exit(EXIT.failed, `Writing ${path} failed (${(error as Error).message}); run as root`);
  }
  process.stdout.write(`Wrote ${path}\n`);
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw new Exit(EXIT.failed, `Removing ${path} failed (${(error as Error).message}); run as root`);
  }
}

/** Ours, and the directory when nobody else has put anything there. */
function removeDropIn(path: string): void {
  remove(path);
  const directory = dirname(path);
  if (existsSync(directory) && readdirSync(directory).length === 0) remove(directory);
}

function systemctl(...words: string[]): void {
  try {
    execFileSync('systemctl', words, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new Exit(
      EXIT.failed,
      `systemctl ${words.join(' ')} failed: ${stderr?.trim() || (error as Error).message}`,
    );
  }
}
