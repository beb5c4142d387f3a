/** What a lab may leave on a machine: namespaces, pins, locks and sockets, records, processes. All of it by prefix. */
import { readdirSync, readFileSync } from 'node:fs';

/** Everything of a lab that is there, each as a path or a process; nothing of others. */
export function remainsOf(prefix: string): string[] {
  const within = (directory: string): string[] =>
    entries(directory)
      .filter((name) => name.startsWith(prefix))
      .map((name) => `${directory}/${name}`);
  return [
    ...within('/run/netns'),
    ...within('/sys/fs/bpf/tunnelscope/vnet'),
    ...within('/run/tunnelscope/vnet'),
    ...within('/run/tunnelscope-lab'),
    ...processesOf(prefix).map(({ pid, words }) => `process ${pid}: ${words}`),
  ];
}

/** Processes that belong to a lab, by their environment. */
export function processesOf(prefix: string): { readonly pid: number; readonly words: string }[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      if (!contentOf(`/proc/${name}/environ`).split('\0').includes(`TUNNELSCOPE_LAB=${prefix}`)) return [];
      const words = contentOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      return words === '' ? [] : [{ pid: Number(name), words }];
    });
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
