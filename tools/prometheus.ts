/**
 * Prometheus and promtool for the tests: the machine's own, or Debian's package unpacked into build/. It is not installed,
 * because that would start a service on this machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const UNPACKED = fileURLToPath(new URL('../build/prometheus', import.meta.url));
const DIRECTORIES = ['/usr/bin', `${UNPACKED}/usr/bin`];

/** Path of one of the two programs; undefined where it is nowhere. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** Fetches what is lacking. @throws Error with what to do by hand */
export function fetchPrometheus(): void {
  if (prometheusProgram('prometheus') !== undefined && prometheusProgram('promtool') !== undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-prometheus-'));
  const run = (command: string, ...words: string[]): void => {
    const { status } = spawnSync(command, words, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0)
      throw new Error(
        `Fetching Debian's package prometheus failed at "${command} ${words.join(' ')}"; any prometheus and promtool in /usr/bin do as well`,
      );
  };
  try {
    // Who fetches drops to a user of its own where it is root, and must be able to write here.
    run('chmod', '0777', directory);
    run('apt-get', 'download', '-q', 'prometheus');
    const [file] = globSync('prometheus_*.deb', { cwd: directory });
    mkdirSync(UNPACKED, { recursive: true });
    run('dpkg-deb', '-x', file ?? 'prometheus.deb', UNPACKED);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
