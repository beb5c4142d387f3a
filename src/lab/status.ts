import { processesIn } from './process.ts';
import { checkedPrefix, namespacesOf, readRecord, readTraffic } from './record.ts';
import { namespaceOf } from './steps.ts';

/** A lab as it is found on this machine; every name is the full one, with prefix. */
export interface LabStatus {
  readonly prefix: string;
  /** `absent`: nothing there. `up`: all there. `partial`: being made, half made, or damaged. */
  readonly state: 'absent' | 'up' | 'partial';
  /** Undefined when the record of the lab is lost. */
  readonly topology: string | undefined;
  readonly title: string | undefined;
  readonly hosts: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly address: string;
    readonly exists: boolean;
  }[];
  readonly clients: readonly {
    readonly host: string;
    readonly vni: number;
    readonly namespace: string;
    readonly interface: string;
    readonly address: string;
    readonly exists: boolean;
  }[];
  /** Namespaces of this prefix that its record does not know. */
  readonly strays: readonly string[];
  readonly traffic: readonly {
    readonly profile: string;
    readonly runnerPid: number;
    readonly processes: number;
  }[];
  /** Whatever runs inside its namespaces. */
  readonly processes: readonly {
    readonly pid: number;
    readonly namespace: string;
    readonly command: string;
  }[];
}

/** Looks at a lab and changes nothing; the answer is plain data, fit for JSON. */
export function labStatus(options: { readonly prefix?: string | undefined } = {}): LabStatus {
  const prefix = checkedPrefix(options.prefix);
  const record = readRecord(prefix);
  const namespaces = namespacesOf(prefix);
  const there = new Set(namespaces);
  const isWhole = record?.phase === 'up' && record.namespaces.every((name) => there.has(name));
  const place = (namespace: string): { namespace: string; exists: boolean } => {
    const name = namespaceOf(prefix, namespace);
    return { namespace: name, exists: there.has(name) };
  };
  return {
    prefix,
    state: isWhole ? 'up' : record === undefined && namespaces.length === 0 ? 'absent' : 'partial',
    topology: record?.topology.name,
    title: record?.topology.title,
    hosts: (record?.topology.hosts ?? []).map(({ name, address, namespace }) => ({
      name,
      address,
      ...place(namespace),
    })),
    clients: (record?.topology.clients ?? []).map((client) => ({
      host: client.host,
      vni: client.vni,
      interface: client.interface,
      address: client.address,
      ...place(client.namespace),
    })),
    strays: namespaces.filter((name) => !record?.namespaces.includes(name)),
    traffic: readTraffic(prefix).map(({ profile, runner, processes }) => ({
      profile,
      runnerPid: runner.pid,
      processes: processes.length,
    })),
    processes: processesIn(namespaces).map(({ mark, namespace, command }) => ({
      pid: mark.pid,
      namespace,
      command,
    })),
  };
}
