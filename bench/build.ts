/** Builds what benchmarks and tests need beside the product: C programs and BPF objects, into a directory that ends with them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { MODULE_FLAGS, MULTIARCH } from '../tools/bpf.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const CLANG = process.env.CLANG ?? 'clang-19';

/** A temporary directory of built files; disposing removes it. */
export class Workshop implements Disposable {
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'tunnelscope-bench-'));

  /** Compiles a C source of the repository against libbpf; gives the program's path. */
  program(source: string): string {
    const path = join(this.#directory, basename(source, '.c'));
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];
    this.#run(CLANG, [...flags, source, '-o', path, '-lbpf']);
    return path;
  }

  /** Compiles a BPF source of the repository as tools/bpf.ts does those of bpf/; gives the object's path. */
  object(source: string): string {
    const name = basename(source, '.bpf.c');
    const [relocatable, path] = [`${name}.o`, `${name}.bpf.o`].map((file) => join(this.#directory, file));
    const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Wextra', '-Werror', '-Ibpf'];
    this.#run(CLANG, [...flags, `-I/usr/include/${MULTIARCH}`, '-c', source, '-o', relocatable!]);
    this.#run('bpftool', ['gen', 'object', path!, relocatable!]);
    return path!;
  }

  /** Compiles a WebAssembly source of the repository as tools/bpf.ts does, with these variables exported; gives the module's path. */
  module(source: string, shared: readonly string[]): string {
    const path = join(this.#directory, `${basename(source, '.wasm.c')}.wasm`);
    const exported = shared.map((name) => `-Wl,--export=${name}`);
    this.#run(CLANG, [...MODULE_FLAGS, '-Ibpf', ...exported, source, '-o', path]);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #run(command: string, words: readonly string[]): void {
    execFileSync(command, words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
