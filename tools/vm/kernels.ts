/**
 * Stock Debian kernels, fetched through apt without being installed: apt gets sources, lists and a cache of its own, so
 * that the machine's stay as they are, and checks signatures as usual.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Where a kernel comes from: suites are pinned, not versions, because the archive drops old builds. */
interface Source {
  readonly suite: string;
  /** Of several kernels in the suite the newest that fits; default: the one the suite's metapackage names. */
  readonly pattern?: RegExp;
}

/** The kernels there are, by name. */
export const KERNELS: Readonly<Record<string, Source>> = {
  '5.10': { suite: 'bullseye-security' },
  '6.1': { suite: 'bookworm-security' },
  '6.12': { suite: 'trixie-security' },
  '6.18': { suite: 'trixie-backports', pattern: /^linux-image-6\.18\./ },
  '7.x': { suite: 'trixie-backports' },
};

/** A fetched kernel. */
export interface Kernel {
  /** Its key in {@link KERNELS}. */
  readonly name: string;
  /** As `uname -r` says it. */
  readonly release: string;
  /** Holds `vmlinuz` and `lib/modules/<release>`. */
  readonly directory: string;
}

/** The flavour for virtual machines: small, and all that the tests need is in it. */
const FLAVOUR = 'cloud-amd64';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Package lists older than this are fetched again. */
const LISTS_MAX_AGE_MS = 6 * 3_600_000;

/** Fetches a kernel into `cache` unless it is there. Progress goes to stderr. @throws Error when apt fails. */
export function fetchKernel(name: string, cache: string): Kernel {
  const source = KERNELS[name];
  if (!source)
    throw new RangeError(`there is no kernel ${name}; there are ${Object.keys(KERNELS).join(', ')}`);
  const apt = new Apt(source.suite, cache);
  const image = source.pattern ? apt.newest(source.pattern) : apt.imageOfMetapackage();
  if (image === undefined) throw new Error(`suite ${source.suite} has no kernel ${name} (${FLAVOUR})`);
  const release = image.slice('linux-image-'.length);
  const directory = join(cache, release);
  if (!existsSync(directory)) unpack(apt, image, directory, release);
  return { name, release, directory };
}

function unpack(apt: Apt, image: string, directory: string, release: string): void {
  console.error(`Fetching Linux ${release} …`);
  const aside = mkdtempSync(`${directory}.`);
  try {
    // From 7.0 on linux-image is a metapackage of these two.
    const parts = apt.dependencies(image).filter((each) => /^linux-(binary|modules)-[0-9]/.test(each));
    apt.download(aside, [image, ...parts]);
    const root = join(aside, 'root');
    for (const file of globSync(join(aside, '*.deb'))) execFileSync('dpkg-deb', ['-x', file, root]);
    const kernel = globSync(join(root, '**/vmlinuz*')).find((path) => statSync(path).isFile());
    const modules = globSync(join(root, `**/lib/modules/${release}`)).find((path) =>
      existsSync(join(path, 'kernel')),
    );
    if (!kernel || !modules) throw new Error(`the packages of ${release} hold no kernel or no modules`);
    const ready = join(aside, 'ready');
    mkdirSync(join(ready, 'lib/modules'), { recursive: true });
    renameSync(kernel, join(ready, 'vmlinuz'));
    renameSync(modules, join(ready, 'lib/modules', release));
    // It misses lists of what is built in, which some packages lack; an error is thrown with its words.
    execFileSync('depmod', ['-b', ready, release], { stdio: 'pipe' });
    renameSync(ready, directory);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/** apt for one suite, with sources, lists and cache below the kernels' cache. */
class Apt {
  readonly #options: readonly string[];

  constructor(suite: string, cache: string) {
    const state = join(cache, 'apt', suite);
    for (const directory of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(state, directory), { recursive: true });
    const sources = join(state, 'sources.list');
    const archive = suite.endsWith('-security') ? 'debian-security' : 'debian';
    const line = `deb [signed-by=${KEYRING}] ${mirror()}/${archive} ${suite} main\n`;
    writeFileSync(sources, line);
    writeFileSync(join(state, 'status'), '');
    this.#options = [
      '-qq',
      ...[
        `Dir::Etc::SourceList=${sources}`,
        'Dir::Etc::SourceParts=/dev/null',
        'Dir::Etc::PreferencesParts=/dev/null',
        `Dir::State::Lists=${join(state, 'lists')}`,
        `Dir::State::Status=${join(state, 'status')}`,
        `Dir::Cache=${join(state, 'cache')}`,
        'APT::Architecture=amd64',
        'APT::Sandbox::User=root',
        'APT::Update::Post-Invoke-Success::=',
        'Acquire::Languages=none',
        'Acquire::Retries=3',
      ].flatMap((option) => ['-o', option]),
    ];
    const stamp = join(state, 'updated');
    if (existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < LISTS_MAX_AGE_MS) return;
    this.#run('apt-get', ['update'], 300_000);
    writeFileSync(stamp, '');
  }

  imageOfMetapackage(): string | undefined {
    return this.dependencies(`linux-image-${FLAVOUR}`).find((each) => /^linux-image-[0-9]/.test(each));
  }

  newest(pattern: RegExp): string | undefined {
    return this.#run('apt-cache', ['search', '--names-only', '^linux-image-[0-9]'])
      .split('\n')
      .map((line) => line.split(' ')[0]!)
      .filter((each) => pattern.test(each) && each.endsWith(`-${FLAVOUR}`) && !each.includes('unsigned'))
      .toSorted(new Intl.Collator('en', { numeric: true }).compare)
      .at(-1);
  }

  dependencies(packageName: string): string[] {
    const text = this.#run('apt-cache', ['show', '--no-all-versions', packageName]);
    return (/^Depends: (.*)$/m.exec(text)?.[1] ?? '').split(',').map((each) => each.trim().split(' ')[0]!);
  }

  download(directory: string, packages: readonly string[]): void {
    this.#run('apt-get', ['download', ...packages], 900_000, directory);
  }

  #run(command: string, words: readonly string[], timeout = 60_000, cwd = '/'): string {
    return execFileSync(command, [...this.#options, ...words], {
      cwd,
      timeout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
}

/** The Debian archive that this machine uses already, whatever its address. @throws Error when apt knows none. */
function mirror(): string {
  const words = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const uris = execFileSync('apt-get', words, { encoding: 'utf8' }).split('\n');
  const own = uris.find((uri) => /\/debian(-security)?\/?$/.test(uri));
  if (own === undefined)
    throw new Error('apt knows no Debian archive: the kernels come from one, add it to its sources');
  return own.replace(/\/debian(-security)?\/?$/, '');
}
