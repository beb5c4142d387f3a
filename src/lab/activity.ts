/** Traffic of topologies whose machines are in no segment, so that no profile can name them: it goes on until it is disposed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { LAB_VARIABLE, ownProgram } from './member.ts';
import { namespaceOf } from './steps.ts';
import type { Topology } from './topology.ts';

const REQUEST_EVERY_MS = 250;

/** A namespace, without prefix, and what is run there. */
interface Activity {
  readonly namespace: string;
  readonly command: readonly string[];
}

/** Starts what is natural for a topology; nothing where profiles do. */
export function startActivity(topology: Topology, prefix: string): AsyncDisposable {
  const children = activitiesOf(topology).map(({ namespace, command }): ChildProcess => {
    const { NODE_OPTIONS: _, ...environment } = process.env;
    const child = spawn('ip', ['netns', 'exec', namespaceOf(prefix, namespace), ...command], {
      detached: true,
      stdio: 'ignore',
      env: { ...environment, [LAB_VARIABLE]: prefix },
    });
    child.on('error', () => undefined);
    return child;
  });
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(
        children.map(async (child) => {
          if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          await ended;
        }),
      );
    },
  };
}

function activitiesOf(topology: Topology): Activity[] {
  switch (topology.network) {
    case 'overlay':
    case 'bridge':
      return [];
    case 'gateway':
      return topology.pairs.map(({ client, worker }) => asking(client.namespace, worker.address));
    case 'tenants':
      return topology.green.flatMap((from) =>
        topology.green
          .filter((to) => to !== from)
          .map((to) => asking(from.machine.namespace, to.router.address)),
      );
    case 'virtual': {
      const [first, second] = topology.hosts;
      return [
        { namespace: first!.namespace, command: ['ping', '-q', '-i', '0.2', second!.address] },
        { namespace: second!.namespace, command: ['ping', '-q', '-i', '0.5', '-s', '1000', first!.address] },
      ];
    }
  }
}

function asking(namespace: string, address: string): Activity {
  return {
    namespace,
    command: ownProgram('web-client.ts', `http://${address}/`, '0', String(REQUEST_EVERY_MS)),
  };
}
