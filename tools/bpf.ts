/**
 * Builds the BPF objects and the WebAssembly module from their sources, and the TypeScript layouts from the objects.
 *
 *     node tools/bpf.ts           build all and write them beside their sources
 *     node tools/bpf.ts --check   build into a temporary directory and compare with what is committed
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { generateLayouts } from './layouts.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const CLANG = process.env.CLANG ?? 'clang-19';

/** Debian's folder of this machine's kernel headers. */
export const MULTIARCH: string = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

/** The objects there are, by their place below bpf/, and where the layouts of their types go. */
const OBJECTS: readonly { readonly name: string; readonly layouts?: string }[] = [
  { name: 'meter', layouts: 'src/record/gen/meter.ts' },
  { name: 'sockets', layouts: 'src/record/gen/sockets.ts' },
  { name: 'floor' },
  { name: 'vnet/relay', layouts: 'src/vnet/gen/relay.ts' },
  { name: 'lab/vlan_switch', layouts: 'src/lab/gen/vlan_switch.ts' },
  { name: 'vnet/gateway', layouts: 'src/vnet/gen/gateway.ts' },
  { name: 'vnet/bridge', layouts: 'src/vnet/gen/bridge.ts' },
];

/** The module that reads captures. */
const MODULE = 'replay';
/** What it and user space share: addresses of these are exported beside its functions. */
const SHARED = [
  'offsets',
  'captured_lengths',
  'original_lengths',
  'seconds',
  'nanoseconds',
  'interfaces',
  'link_types',
  'tunnel_ports',
  'settings',
  'state',
  'chunks',
  'single',
  'biflow_chunks',
  'arrivals_chunks',
  'sequence_chunks',
  'tcp_chunks',
  'followed',
];

/** How modules are compiled. */
export const MODULE_FLAGS: readonly string[] = [
  '--target=wasm32',
  '-nostdlib',
  '-ffreestanding',
  '-O2',
  '-mbulk-memory',
  '-Wall',
  '-Wextra',
  '-Werror',
  // The stack comes first in memory: where it runs over, the machine stops, and nothing is overwritten.
  '-Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=65536',
];

/** The compilation directory is named in the object: a fixed one, so that the same source gives the same bytes anywhere. */
const FLAGS = [
  '-O2',
  '-g',
  '-fdebug-compilation-dir=/',
  '-target',
  'bpf',
  '-mcpu=v3',
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** Compiles one source into `directory`; gives the object's path. Paths in the object are relative to the repository. */
function compile(name: string, directory: string): string {
  const relocatable = join(directory, `${basename(name)}.o`);
  const object = join(directory, `${basename(name)}.bpf.o`);
  const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  execFileSync(
    CLANG,
    [...FLAGS, `-I/usr/include/${MULTIARCH}`, '-c', `bpf/${name}.bpf.c`, '-o', relocatable],
    options,
  );
  execFileSync('bpftool', ['gen', 'object', object, relocatable], options);
  return object;
}

/** Compiles the module into `directory`; gives its path. */
function compileModule(directory: string): string {
  const module = join(directory, `${MODULE}.wasm`);
  const shared = SHARED.map((name) => `-Wl,--export=${name}`);
  execFileSync(CLANG, [...MODULE_FLAGS, ...shared, `bpf/${MODULE}.wasm.c`, '-o', module], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return module;
}

/** Every generated file with the content it should have: path in the repository → bytes. */
export async function generatedFiles(): Promise<Map<string, Uint8Array>> {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-bpf-'));
  try {
    const files = new Map<string, Uint8Array>();
    for (const { name, layouts } of OBJECTS) {
      const object = compile(name, directory);
      files.set(`bpf/${name}.bpf.o`, readFileSync(object));
      if (layouts) files.set(layouts, new TextEncoder().encode(await generateLayouts(object)));
    }
    files.set(`bpf/${MODULE}.wasm`, readFileSync(compileModule(directory)));
    return files;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Paths of generated files whose committed content is not what the sources give now. */
export async function staleFiles(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, bytes] of await generatedFiles()) {
    const committed = readFileSync(join(ROOT, path));
    if (!committed.equals(bytes)) stale.push(path);
  }
  return stale;
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await staleFiles();
    if (stale.length > 0) {
      console.error(`stale, run "npm run bpf" and commit: ${stale.join(', ')}`);
      process.exitCode = 1;
    }
  } else {
    for (const [path, bytes] of await generatedFiles()) {
      writeFileSync(join(ROOT, path), bytes);
      console.log(`${path} ${bytes.byteLength} octets`);
    }
  }
}
