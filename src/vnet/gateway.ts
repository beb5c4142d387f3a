/** The gateway between the VLANs of a trunk and workers: its tables and programs, and what it says of itself. */
import { z } from 'zod';
import { readConfigAs, valueAt } from '../config/index.ts';
import type { VirtualGateway } from '../query/index.ts';
import { VnetError } from './error.ts';
import { countOf, headOf, type NetworkFunction, type Tellings } from './function.ts';
import { GatewayClients, type Indexes, type KnownClient } from './gateway-clients.ts';
import { ClientSchema, type GatewayConfig, GatewaySchema, mistakesAmong } from './gateway-config.ts';
import { openGatewayPins } from './gateway-pins.ts';
import { encodeSettings, indexKey } from './gateway-table.ts';
import { tagsOf } from './gateway-tags.ts';
import { GatewayTellings } from './gateway-tellings.ts';
import { Outcome } from './gen/gateway.ts';
import { interfaceNumbers } from './interfaces.ts';
import { readLedger } from './ledger.ts';
import type { PinnedObject, PinnedPlace } from './pinned.ts';

const NS_PER_MS = 1_000_000n;

/** Outcomes that are losses. */
const DROPS: ReadonlySet<Exclude<keyof typeof Outcome, 'OUTCOME_COUNT'>> = new Set([
  'UNTAGGED',
  'TOO_MANY_TAGS',
  'UNKNOWN_CLIENT',
  'VLAN_NOT_ALLOWED',
  'MOVE_REFUSED',
  'WORKER_ABSENT',
  'NO_VLAN',
  'TAGGED_BY_WORKER',
  'UNKNOWN_WORKER',
  'TRUNK_ABSENT',
  'TAG_FAILED',
]);

/** What can be asked for while it runs: `client` as a file has one, or the MAC address of one that goes. */
const ChangeSchema = z.union([z.strictObject({ add: z.unknown() }), z.strictObject({ remove: z.string() })]);

/** Reads a gateway's file. @throws ConfigFileError with all that is wrong in it */
export function readGatewayConfig(path: string): GatewayConfig {
  return readConfigAs(path, GatewaySchema);
}

/** How a gateway is opened. */
export interface GatewayOptions {
  readonly name: string;
  /** Its file. */
  readonly config: string;
  readonly tellings: Tellings;
}

/** A gateway in the kernel, in the network namespace of this thread. Disposing leaves it there; `remove` takes it away. */
export class Gateway implements NetworkFunction {
  readonly #options: GatewayOptions;
  readonly #pinned: PinnedObject;
  readonly #clients: GatewayClients;
  readonly #told: GatewayTellings;
  /** Interfaces that a program of ours was put at: name → where. */
  readonly #attached = new Map<string, PinnedPlace>();
  /** Workers that were looked for in vain, so that each is told once. */
  readonly #absent = new Set<string>();
  #config: GatewayConfig;

  private constructor(options: GatewayOptions, config: GatewayConfig, pinned: PinnedObject) {
    this.#options = options;
    this.#config = config;
    this.#pinned = pinned;
    this.#clients = new GatewayClients(pinned);
    this.#told = new GatewayTellings(pinned.map('tellings'), pinned.map('lapses'));
  }

  /** Sets a gateway up, or takes over that of a former process of this name. @throws ConfigFileError, VnetError, BpfError */
  static open(options: GatewayOptions): Gateway {
    using stack = new DisposableStack();
    const config = readGatewayConfig(options.config);
    if (!interfaceNumbers().has(config.trunk))
      throw new VnetError(
        'VNET_INTERFACE',
        `trunk: there is no interface "${config.trunk}" here; make it, or name another in ${options.config}`,
      );
    const pinned = stack.use(openGatewayPins(options.name, config));
    const gateway = stack.use(new Gateway(options, config, pinned));
    try {
      gateway.#apply(config);
    } catch (error) {
      // Of a first attempt nothing is left; what a former process set up forwards on.
      if (pinned.adopted.length === 0) pinned.remove();
      throw error;
    }
    pinned.settle();
    stack.move();
    return gateway;
  }

  show(): VirtualGateway {
    this.#tellOn();
    const { name, tellings } = this.#options;
    const nowNs = process.hrtime.bigint();
    const ledger = readLedger(this.#pinned.map('ledger'), Outcome);
    return {
      kind: 'gateway',
      ...headOf(name, { ledger, drops: DROPS, tellings }),
      trunk: this.#config.trunk,
      clients: this.#clients.list().map((client) => this.#showClient(client, nowNs)),
    };
  }

  change(words: unknown): readonly string[] {
    const parsed = ChangeSchema.safeParse(words);
    if (!parsed.success)
      throw new VnetError(
        'VNET_CHANGE',
        'a gateway takes "add" with a client, or "remove" with a MAC address',
      );
    return 'add' in parsed.data ? this.#add(parsed.data.add) : this.#remove(parsed.data.remove);
  }

  reload(): readonly string[] {
    const former = this.#config;
    const before = new Map(this.#clients.list().map((each) => [each.mac, each]));
    this.#apply(readGatewayConfig(this.#options.config));
    const lines: string[] = [];
    for (const { mac, ...rest } of this.#clients.list()) {
      const { mac: _, ...was } = before.get(mac) ?? {};
      if (!before.has(mac)) lines.push(`Client ${mac} of ${rest.worker} added`);
      else if (JSON.stringify(was) !== JSON.stringify(rest)) lines.push(`Client ${mac} changed`);
    }
    for (const mac of before.keys()) if (!this.#clients.has(mac)) lines.push(`Client ${mac} removed`);
    for (const key of ['trunk', 'ageingMs', 'moves'] as const)
      if (JSON.stringify(former[key]) !== JSON.stringify(this.#config[key]))
        lines.push(`${key.replace('Ms', '')} changed`);
    if (this.#config.capacity !== this.#clients.capacity)
      lines.push(
        `capacity stays ${this.#clients.capacity}: ${this.#config.capacity} needs "tunnelscope vnet stop ${this.#options.name}" and a new start`,
      );
    return lines;
  }

  tick(): void {
    this.#tellOn();
    const isWhole =
      this.#absent.size === 0 &&
      [...this.#attached.values()].every((place) => this.#pinned.isAttached(place));
    if (!isWhole) this.#connect();
  }

  remove(): void {
    this.#told[Symbol.dispose]();
    this.#pinned.remove();
  }

  [Symbol.dispose](): void {
    this.#told[Symbol.dispose]();
    this.#pinned[Symbol.dispose]();
  }

  /** Brings all to what a file says; clients that were added while it ran stay, unless the file has them. */
  #apply(config: GatewayConfig): void {
    const added = this.#clients
      .list()
      .filter(({ isAdded, mac }) => isAdded && !config.clients.some((each) => each.mac === mac));
    const clients = [...config.clients.map((client) => ({ ...client, isAdded: false })), ...added];
    this.#demandRoom(config, clients);
    this.#config = config;
    this.#pinned.map('settings').update(indexKey(0), encodeSettings(config));
    this.#clients.replace(clients);
    this.#connect();
  }

  #add(words: unknown): readonly string[] {
    const parsed = ClientSchema.safeParse(words);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]!;
      const given = valueAt(words, path);
      throw new VnetError(
        'VNET_CHANGE',
        `--${String(path[0] ?? 'client')}: ${JSON.stringify(given) ?? 'nothing'} is not ${message}`,
      );
    }
    const client = { ...parsed.data, isAdded: true };
    const was = this.#clients.get(client.mac);
    const others = this.#clients.list().filter(({ mac }) => mac !== client.mac);
    this.#demandRoom(this.#config, [...others, client]);
    this.#clients.replace([...others, client]);
    this.#connect();
    const isThere = this.#attached.has(client.worker);
    return [
      `Client ${client.mac} of ${client.worker} ${was ? 'changed' : 'added'}`,
      ...(isThere
        ? []
        : [`There is no interface "${client.worker}" yet: its frames are dropped until there is`]),
    ];
  }

  #remove(text: string): readonly string[] {
    const mac = text.toLowerCase().replaceAll('-', ':');
    if (!this.#clients.has(mac))
      throw new VnetError(
        'VNET_CHANGE',
        `--mac: "${text}" is no client of "${this.#options.name}"; "tunnelscope vnet gateway show" lists them`,
      );
    const isInFile = !this.#clients.get(mac)!.isAdded;
    this.#clients.replace(this.#clients.list().filter((each) => each.mac !== mac));
    this.#connect();
    return [
      `Client ${mac} removed`,
      ...(isInFile ? [`It stands in ${this.#options.config}, and returns when that is read again`] : []),
    ];
  }

  #demandRoom({ trunk }: GatewayConfig, clients: readonly KnownClient[]): void {
    const [mistake] = mistakesAmong({ trunk, clients, capacity: this.#clients.capacity });
    if (mistake === undefined) return;
    const [, at] = mistake.path;
    const client = typeof at === 'number' ? clients[at] : undefined;
    const what = client
      ? `Client ${client.mac}: worker "${client.worker}"`
      : `capacity ${this.#clients.capacity}`;
    throw new VnetError('VNET_CHANGE', `${what} is not ${mistake.message}`);
  }

  /** Finds the interfaces, writes the tables, puts the programs where they belong, and takes them off elsewhere. */
  #connect(): void {
    const numbers = interfaceNumbers();
    const { trunk } = this.#config;
    const indexes: Indexes = {
      trunk: numbers.get(trunk) ?? 0,
      worker: (name) => numbers.get(name) ?? 0,
    };
    this.#clients.write(indexes);
    const wanted = new Map<string, PinnedPlace>();
    for (const name of this.#clients.workers())
      this.#want(wanted, name, indexes.worker(name), 'ts_virt2phys');
    this.#want(wanted, trunk, indexes.trunk, 'ts_phys2virt');
    for (const [name, place] of this.#attached) {
      const other = wanted.get(name);
      if (other?.ifindex === place.ifindex && this.#pinned.isAttached(place)) continue;
      this.#pinned.detach(place);
      this.#attached.delete(name);
    }
    for (const [name, place] of wanted) {
      if (this.#attached.has(name)) continue;
      this.#pinned.attach(place);
      this.#attached.set(name, place);
    }
  }

  #want(wanted: Map<string, PinnedPlace>, name: string, ifindex: number, program: string): void {
    const { tellings } = this.#options;
    if (ifindex === 0) {
      if (!this.#absent.has(name))
        tellings.add('interface-absent', `Interface ${name} is not there: what is for it is dropped`);
      this.#absent.add(name);
      return;
    }
    if (this.#absent.delete(name)) tellings.add('interface-back', `Interface ${name} is there again`);
    wanted.set(name, { program, ifindex, direction: 'ingress' });
  }

  #tellOn(): void {
    this.#told.drain(
      (kind, words) => this.#options.tellings.add(kind, words),
      (mac) => this.#clients.get(mac),
    );
  }

  #showClient(client: KnownClient, nowNs: bigint): VirtualGateway['clients'][number] {
    const { mac, worker, tags, isFixed, allowed } = client;
    const place = this.#clients.place(mac);
    const idleNs = nowNs > place.seenNs ? nowNs - place.seenNs : 0n;
    const isFresh = idleNs < BigInt(Math.round(this.#config.ageingMs)) * NS_PER_MS;
    const learned = isFixed || !isFresh ? undefined : tagsOf(place.tags);
    return {
      mac,
      worker,
      tags: (learned ?? tags)?.map((tag) => ({ ...tag })) ?? null,
      isLearned: learned !== undefined,
      allowed: allowed ? [...allowed] : isFixed ? [tags![0]!.vid] : null,
      idleMs: place.seenNs === 0n ? null : Number(idleNs / NS_PER_MS),
      moves: Number(place.moves),
      received: countOf(place.received),
      sent: countOf(place.sent),
    };
  }
}
