import { type Lease, leasesOf } from './dhcp.ts';
import { isAlive, processesIn } from './process.ts';
import { checkedPrefix, namespacesOf, readKeeper, readMembers, readRecord, readTraffic } from './record.ts';
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
  /** What is kept running in it. */
  readonly members: readonly {
    readonly name: string;
    readonly role: string;
    readonly namespace: string;
    readonly state: 'starting' | 'running' | 'waiting' | 'gone';
    readonly pid: number | undefined;
    readonly restarts: number;
    readonly lastEnd: string | undefined;
  }[];
  /** What DHCP clients hold. */
  readonly leases: readonly Lease[];
  /** Whether someone starts them again when they end; undefined where there are none. */
  readonly isKept: boolean | undefined;
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
    ...membersOf(prefix),
    leases: leasesOf(prefix, record?.topology.clients ?? []),
    processes: processesIn(namespaces).map(({ mark, namespace, command }) => ({
      pid: mark.pid,
      namespace,
      command,
    })),
  };
}

function membersOf(prefix: string): Pick<LabStatus, 'members' | 'isKept'> {
  const kept = readKeeper(prefix);
  const wanted = readMembers(prefix);
  if (wanted.length === 0) return { members: [], isKept: undefined };
  return {
    isKept: kept !== undefined && isAlive(kept.keeper),
    members: wanted.map(({ name, role, namespace }) => {
      const found = kept?.members.find((each) => each.name === name);
      const isHere = found?.mark !== undefined && isAlive(found.mark);
      return {
        name,
        role,
        namespace,
        state: found?.mark !== undefined && !isHere ? 'gone' : (found?.state ?? 'gone'),
        pid: isHere ? found.mark.pid : undefined,
        restarts: found?.restarts ?? 0,
        lastEnd: found?.lastEnd,
      };
    }),
  };
}
