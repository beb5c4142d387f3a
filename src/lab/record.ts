import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { LabError } from './error.ts';
import type { Member, MemberState } from './member.ts';
import { isAlive, markOf, type ProcessMark } from './process.ts';
import type { Topology } from './topology.ts';

const ROOT = '/run/tunnelscope-lab';
const NETNS = '/run/netns';

/** Names of namespaces, without prefix, that some kind of topology makes. */
const SHAPES =
  'fabric|trunk|gateway|hypervisor|router|ns[12]|(host|worker|client)\\d+|c-host\\d+-\\d+|r-host\\d+|dhcp-\\d+';

/** What a lab remembers about itself on disk, so that any later process can judge it and take it down. */
export interface LabRecord {
  readonly phase: 'creating' | 'up';
  readonly topology: Topology;
  readonly namespaces: readonly string[];
}

/** One running piece of traffic: who runs it, in which slot (slots keep the ports of two runs apart), its processes. */
export interface TrafficRecord {
  readonly slot: number;
  readonly profile: string;
  readonly runner: ProcessMark;
  readonly processes: readonly (ProcessMark & { readonly namespace: string; readonly role: string })[];
}

/**
 * Checks a name prefix: lower-case letters and digits, then exactly one dash at the end, so that no prefix is the
 * beginning of another's names. Throws LabError (`LAB_PREFIX`).
 */
export function checkedPrefix(prefix = 'ts-'): string {
  if (/^[a-z][a-z0-9]{0,9}-$/.test(prefix)) return prefix;
  throw new LabError(
    'LAB_PREFIX',
    `Naming the lab: the prefix is "${prefix}"; wanted a letter, up to nine letters or digits, and one dash at the end`,
    'Use a prefix such as "ts-" or "lab2-".',
  );
}

/** The record of a lab; undefined when there is none or it was cut short. */
export function readRecord(prefix: string): LabRecord | undefined {
  return readJson<LabRecord>(`${ROOT}/${prefix}/lab.json`);
}

/** Replaces the record of a lab in one step: a reader sees the old one or the new one. */
export function writeRecord(prefix: string, record: LabRecord): void {
  writeJson(prefix, 'lab.json', record);
}

/** The traffic records of a lab whose runner or processes still live; those of the dead are removed. */
export function readTraffic(prefix: string): TrafficRecord[] {
  return entries(prefix).flatMap((file) => {
    if (!/^traffic-\d+\.json$/.test(file)) return [];
    const record = readJson<TrafficRecord>(`${ROOT}/${prefix}/${file}`);
    if (record !== undefined && [record.runner, ...record.processes].some(isAlive)) return [record];
    rmSync(`${ROOT}/${prefix}/${file}`, { force: true });
    return [];
  });
}

/** Replaces the record of one running piece of traffic in one step. */
export function writeTraffic(prefix: string, record: TrafficRecord): void {
  writeJson(prefix, `traffic-${record.slot}.json`, record);
}

/** Forgets one piece of traffic. */
export function removeTraffic(prefix: string, slot: number): void {
  rmSync(`${ROOT}/${prefix}/traffic-${slot}.json`, { force: true });
}

/** The directory of a member: its files and what it says, for nobody else to read. */
export function memberDirectory(prefix: string, name: string): string {
  return `${ROOT}/${prefix}/members/${name}`;
}

/** What the keeper is to keep running. */
export function readMembers(prefix: string): readonly Member[] {
  return readJson<readonly Member[]>(`${ROOT}/${prefix}/members.json`) ?? [];
}

/** Says what the keeper is to keep running. */
export function writeMembers(prefix: string, members: readonly Member[]): void {
  writeJson(prefix, 'members.json', members);
}

/** The keeper and its members, as it last said. */
export interface KeeperRecord {
  readonly keeper: ProcessMark;
  readonly members: readonly MemberState[];
}

/** What the keeper last said; undefined where there never was one. */
export function readKeeper(prefix: string): KeeperRecord | undefined {
  return readJson<KeeperRecord>(`${ROOT}/${prefix}/keeper.json`);
}

/** Replaces what the keeper says in one step. */
export function writeKeeper(prefix: string, record: KeeperRecord): void {
  writeJson(prefix, 'keeper.json', record);
}

/** Forgets a lab altogether, except that it is being changed (see `locked`). */
export function removeRecords(prefix: string): void {
  for (const file of entries(prefix))
    if (file !== 'lock') rmSync(`${ROOT}/${prefix}/${file}`, { recursive: true, force: true });
}

/**
 * The namespaces that are this lab's: those its record names and those of the shapes a lab makes (`fabric`, `host0`,
 * `c-…`, `worker1` …), so that they are found even when the record is lost. Only existing ones (also an empty file that
 * `ip netns add` left when it was killed), sorted.
 */
export function namespacesOf(prefix: string): string[] {
  const recorded = new Set(readRecord(prefix)?.namespaces);
  const shape = new RegExp(`^${prefix}(${SHAPES})$`);
  return list(NETNS)
    .filter((name) => recorded.has(name) || shape.test(name))
    .sort();
}

/**
 * Runs `change` while no other process may change the lab. The lock of a dead process does not count.
 * Throws LabError (`LAB_BUSY`) when a living one holds it.
 */
export async function locked<Result>(prefix: string, change: () => Promise<Result>): Promise<Result> {
  const path = `${ROOT}/${prefix}/lock`;
  try {
    mkdirSync(`${ROOT}/${prefix}`, { recursive: true });
  } catch (cause) {
    throw new LabError(
      'LAB_REQUIREMENT',
      `Changing the lab "${prefix}": ${ROOT} cannot be written`,
      'Run as root (sudo).',
      { cause },
    );
  }
  const holder = readJson<ProcessMark>(path);
  if (holder !== undefined && !isAlive(holder)) rmSync(path, { force: true });
  try {
    writeFileSync(path, JSON.stringify(markOf(process.pid)), { flag: 'wx' });
  } catch (cause) {
    throw new LabError(
      'LAB_BUSY',
      `Changing the lab "${prefix}": process ${holder?.pid ?? '(unknown)'} is changing it; wanted to be alone`,
      `Wait for it to end, or use another prefix. If no such process runs, remove ${path}.`,
      { cause },
    );
  }
  try {
    return await change();
  } finally {
    rmSync(path, { force: true });
    if (entries(prefix).length === 0) rmSync(`${ROOT}/${prefix}`, { recursive: true, force: true });
    if (list(ROOT).length === 0) rmSync(ROOT, { recursive: true, force: true });
  }
}

function writeJson(prefix: string, file: string, value: unknown): void {
  const path = `${ROOT}/${prefix}/${file}`;
  mkdirSync(`${ROOT}/${prefix}`, { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(`${path}.new`, path);
}

/** Files here are written by this module alone and in one step; one that does not parse is a cut-short write. */
function readJson<Value>(path: string): Value | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Value;
  } catch {
    return undefined;
  }
}

function entries(prefix: string): string[] {
  return list(`${ROOT}/${prefix}`);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
