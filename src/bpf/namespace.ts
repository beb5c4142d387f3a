/** The network namespace of the calling thread. */
import { closeSync, openSync } from 'node:fs';
import { BpfError, kernelError } from './error.ts';
import { lastErrno, libc } from './libbpf.ts';

const CLONE_NEWNET = 0x4000_0000;

/**
 * Moves the calling thread into a network namespace, for good: `path` is its file, e.g. `/run/netns/blue` or `/proc/4711/ns/net`.
 *
 * Interface numbers, attachments and sockets of this thread belong to that namespace from now on. Meant for a worker thread:
 * on the main thread it would split the process, since Node's pool threads stay where they are.
 * @throws BpfError `BPF_NAMESPACE` or `BPF_PERMISSION` (it needs CAP_SYS_ADMIN).
 */
export function setNetworkNamespace(path: string): void {
  const action = `enter the network namespace ${path}`;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    const state = `its file cannot be opened (${(cause as NodeJS.ErrnoException).code})`;
    throw new BpfError('BPF_NAMESPACE', {
      action,
      state,
      remedy: 'list the namespaces with "ip netns list"',
      cause,
    });
  }
  try {
    if (libc().setns(fd, CLONE_NEWNET) !== 0) {
      throw kernelError('BPF_NAMESPACE', lastErrno(), {
        action,
        remedy: 'it needs CAP_SYS_ADMIN and the file of a network namespace',
      });
    }
  } finally {
    closeSync(fd);
  }
}
