import { rmSync } from 'node:fs';
import { instanceNames, leaveDirectory, placeOf } from '../daemon/index.ts';
import { pinnedNames, removePins } from '../vnet/index.ts';
import { ipBatch, loadRules, run, writeSettings } from './command.ts';
import { LabError } from './error.ts';
import { areKept, endMembers, startMembers } from './keeping.ts';
import { type Plan, planOf } from './plan.ts';
import { endProcesses, processesIn } from './process.ts';
import {
  checkedPrefix,
  locked,
  namespacesOf,
  readRecord,
  readTraffic,
  removeRecords,
  writeRecord,
} from './record.ts';
import { checkRequirements, hasVlanDevices } from './requirement.ts';
import type { Step } from './steps.ts';
import type { Topology } from './topology.ts';

/** How to bring a lab up. */
export interface LabUpOptions {
  /** Of all names the lab makes; `ts-` by default. */
  readonly prefix?: string | undefined;
  /** Aborting removes what was half made and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gets one line per step, as it begins: `Launching host 1 of 9` …, then `Starting tunnel 1 of 9` …. */
  readonly progress?: ((line: string) => void) | undefined;
}

/**
 * Makes a topology stand. Already standing and whole: nothing is done. Anything else of that prefix (another topology,
 * a half made or damaged one) is taken down first. Everything is made in namespaces of the lab's own; the caller's
 * namespace gets no link, no address and no traffic. Throws LabError; on any failure nothing stays behind.
 */
export async function labUp(topology: Topology, options: LabUpOptions = {}): Promise<void> {
  const prefix = checkedPrefix(options.prefix);
  const { signal, progress = () => {} } = options;
  signal?.throwIfAborted();
  const plan = planOf(topology, prefix, {
    vlanDevices: topology.network === 'gateway' && (await hasVlanDevices()),
  });
  await checkRequirements({
    ipv6: [...topology.hosts, ...topology.clients].some((end) => end.address.includes(':')),
    tools: plan.tools,
  });
  await locked(prefix, async () => {
    if (await stands(prefix, topology, plan)) {
      progress(`The lab "${topology.name}" is up already`);
      return;
    }
    await remove(prefix);
    try {
      writeRecord(prefix, { phase: 'creating', topology, namespaces: plan.namespaces });
      for (const { line, steps } of plan.stages) {
        if (line !== undefined) progress(line);
        await perform(steps, signal);
      }
      await startMembers(prefix, plan.members, signal);
      signal?.throwIfAborted();
      writeRecord(prefix, { phase: 'up', topology, namespaces: plan.namespaces });
    } catch (error) {
      await remove(prefix);
      throw error;
    }
  });
}

/**
 * Removes a lab: ends its traffic and whatever else still runs inside its namespaces, removes these and forgets it.
 * Nothing there: nothing is done. Works from the names alone, so also after a killed `up` and a lost record.
 */
export async function labDown(options: { readonly prefix?: string | undefined } = {}): Promise<void> {
  const prefix = checkedPrefix(options.prefix);
  await locked(prefix, () => remove(prefix));
}

/** A killed `up` may leave one `ip` that is still at its last line, so what is left is looked up again. */
const REMOVE_ATTEMPTS = 5;

async function remove(prefix: string): Promise<void> {
  await endProcesses(readTraffic(prefix).flatMap((record) => record.processes));
  await endMembers(prefix);
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    const namespaces = namespacesOf(prefix);
    if (namespaces.length === 0) {
      forgetFunctions(prefix);
      return removeRecords(prefix);
    }
    await endProcesses(processesIn(namespaces).map(({ mark }) => mark));
    await run('ip', ['-force', '-batch', '-'], namespaces.map((name) => `netns del ${name}\n`).join(''));
  }
  throw new LabError(
    'LAB_COMMAND',
    `Removing the lab "${prefix}": ${namespacesOf(prefix).join(', ')} could not be deleted; wanted none left`,
    'Look with `ip netns list` and `ip netns pids`; something outside the lab may hold them.',
  );
}

async function perform(steps: readonly Step[], signal: AbortSignal | undefined): Promise<void> {
  for (const step of steps) {
    signal?.throwIfAborted();
    if (step.kind === 'ip') await ipBatch(step.namespace, step.lines);
    else if (step.kind === 'nft') await loadRules(step.namespace, step.rules);
    else await writeSettings(step.namespace, step.settings);
  }
}

/** Whether exactly this topology stands: the record says so, no namespace is missing, no link is missing or down. */
async function stands(prefix: string, topology: Topology, plan: Plan): Promise<boolean> {
  const record = readRecord(prefix);
  if (record?.phase !== 'up' || JSON.stringify(record.topology) !== JSON.stringify(topology)) return false;
  if (JSON.stringify(namespacesOf(prefix)) !== JSON.stringify([...plan.namespaces].sort())) return false;
  for (const namespace of plan.namespaces) {
    const { status, stdout } = await run('ip', ['-n', namespace, '-o', 'link', 'show', 'up']);
    if (status !== 0) return false;
    const up = new Set([...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1]));
    if (linksOf(plan, namespace).some((link) => !up.has(link))) return false;
  }
  return areKept(prefix, plan.members);
}

/** Takes away what network functions of the lab left that were killed: what they pinned, their locks and sockets. */
function forgetFunctions(prefix: string): void {
  const isOurs = (name: string): boolean =>
    name.startsWith(prefix) && /^(relay|bridge|gateway)(-host\d+)?$/.test(name.slice(prefix.length));
  for (const name of pinnedNames().filter(isOurs)) removePins(name);
  for (const name of instanceNames('vnet').filter(isOurs)) {
    const place = placeOf(name, 'vnet');
    for (const path of [place.socket, place.lock]) rmSync(path, { force: true });
    leaveDirectory(place);
  }
}

/** The links that the plan sets up (in both senses) in a namespace. */
function linksOf(plan: Plan, namespace: string): string[] {
  return plan.stages
    .flatMap(({ steps }) => steps)
    .flatMap((step) =>
      step.kind === 'ip' && step.namespace === namespace
        ? step.lines.flatMap(
            (line) => /^link set (\S+) .*\bup$|^link set (\S+) up$/.exec(line)?.slice(1).find(Boolean) ?? [],
          )
        : [],
    );
}
