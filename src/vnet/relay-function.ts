/** The relay as an instance: cables between interfaces by name, which may come, go and come again. */
import { z } from 'zod';
import { readConfigAs } from '../config/index.ts';
import type { VirtualRelay } from '../query/index.ts';
import { VnetError } from './error.ts';
import { countOf, headOf, type NetworkFunction, type Tellings } from './function.ts';
import { interfaceNumbers } from './interfaces.ts';
import { type CableEnds, Relay, type Relayed, type RelayLedger } from './relay.ts';

/** The names of the two interfaces of a cable. */
export type Cable = readonly [string, string];

const CABLE = /^([^\s/:]{1,15}):([^\s/:]{1,15})$/;
const DROPS: ReadonlySet<keyof RelayLedger> = new Set(['NOT_CONNECTED', 'REDIRECT_FAILED'] as const);

/** Two names of interfaces with a colon between them; undefined where it is not that. */
export function parseCable(text: string): Cable | undefined {
  const [, a, b] = CABLE.exec(text) ?? [];
  return a === undefined || b === undefined || a === b ? undefined : [a, b];
}

const CableSchema = z.string().refine((text) => parseCable(text) !== undefined, {
  error: 'two names of interfaces such as "v1:br1a"',
});

/** A relay's file. */
export const RelayConfigSchema: z.ZodType<{ cables: string[] }> = z.strictObject({
  cables: z.array(CableSchema).min(1),
});

/** Where a relay has its cables from: a file that can be read again, or words. */
export type CableSource = { readonly file: string } | { readonly cables: readonly Cable[] };

/** Reads the cables. @throws ConfigFileError; VnetError `VNET_INTERFACE` where an interface is at two of them */
export function readCables(source: CableSource): readonly Cable[] {
  const cables =
    'file' in source
      ? readConfigAs(source.file, RelayConfigSchema).cables.map((text) => parseCable(text)!)
      : source.cables;
  const ends = cables.flat();
  const twice = ends.find((name, i) => ends.indexOf(name) !== i);
  if (twice !== undefined)
    throw new VnetError(
      'VNET_INTERFACE',
      `Laying cables: "${twice}" is an end of two; wanted each interface at one cable. Take it out of one of them`,
    );
  return cables;
}

/** A relay under a name. Interfaces are looked for again every second, so that one that was made anew is connected. */
export class RelayFunction implements NetworkFunction {
  readonly #name: string;
  readonly #source: CableSource;
  readonly #tellings: Tellings;
  readonly #relay: Relay;
  #cables: readonly Cable[];
  /** Numbers of interfaces by name, as cables are laid now. */
  #numbers: ReadonlyMap<string, number>;

  private constructor(options: RelayOptions, relay: Relay, numbers: ReadonlyMap<string, number>) {
    this.#name = options.name;
    this.#source = options.source;
    this.#tellings = options.tellings;
    this.#cables = options.cables;
    this.#relay = relay;
    this.#numbers = numbers;
  }

  /** @throws ConfigFileError, VnetError `VNET_INTERFACE`, BpfError */
  static open(options: Omit<RelayOptions, 'cables'>): RelayFunction {
    const cables = readCables(options.source);
    const numbers = interfaceNumbers();
    demandAll(cables, numbers);
    return new RelayFunction(
      { ...options, cables },
      Relay.open(options.name, endsOf(cables, numbers)),
      numbers,
    );
  }

  show(): VirtualRelay {
    return {
      ...headOf(this.#name, { ledger: this.#relay.ledger(), drops: DROPS, tellings: this.#tellings }),
      kind: 'relay',
      cables: this.#cables.flatMap(([a, b]) => [this.#direction(a, b), this.#direction(b, a)]),
    };
  }

  change(): never {
    throw new VnetError('VNET_CHANGE', 'a relay changes with its file: write it, then send SIGHUP');
  }

  reload(): readonly string[] {
    if (!('file' in this.#source)) return [];
    const next = readCables(this.#source);
    const numbers = interfaceNumbers();
    demandAll(next, numbers);
    const written = (cables: readonly Cable[]): string[] => cables.map((cable) => cable.join(':'));
    const before = written(this.#cables);
    const after = written(next);
    this.#relay.lay(endsOf(next, numbers));
    this.#cables = next;
    this.#numbers = numbers;
    return [
      ...after.filter((each) => !before.includes(each)).map((each) => `Cable ${each} is laid`),
      ...before.filter((each) => !after.includes(each)).map((each) => `Cable ${each} is taken away`),
    ];
  }

  tick(): void {
    const numbers = interfaceNumbers();
    const changed = this.#cables.flat().filter((name) => numbers.get(name) !== this.#numbers.get(name));
    if (changed.length === 0) return;
    this.#numbers = numbers;
    this.#relay.lay(endsOf(this.#cables, numbers));
    for (const name of changed)
      this.#tellings.add('interface', `${name} ${numbers.has(name) ? 'is there again' : 'has gone'}`);
  }

  remove(): void {
    this.#relay.remove();
  }

  [Symbol.dispose](): void {
    this.#relay[Symbol.dispose]();
  }

  #direction(from: string, to: string): VirtualRelay['cables'][number] {
    const ifindex = this.#numbers.get(from);
    const relayed = ifindex === undefined ? undefined : this.#relay.relayed(ifindex);
    const nothing = { packets: 0n, octets: 0n };
    const count = (kind: keyof Relayed): { packets: number; octets: number } =>
      countOf(relayed?.[kind] ?? nothing);
    return {
      from,
      to,
      counts: { ipv4: count('ipv4'), ipv6: count('ipv6'), arp: count('arp'), other: count('other') },
    };
  }
}

/** What a relay is opened with. */
interface RelayOptions {
  readonly name: string;
  readonly source: CableSource;
  readonly cables: readonly Cable[];
  readonly tellings: Tellings;
}

/** Cables both ends of which are there. */
function endsOf(cables: readonly Cable[], numbers: ReadonlyMap<string, number>): CableEnds[] {
  return cables.flatMap(([a, b]) => {
    const [first, second] = [numbers.get(a), numbers.get(b)];
    return first === undefined || second === undefined ? [] : [[first, second] as const];
  });
}

function demandAll(cables: readonly Cable[], numbers: ReadonlyMap<string, number>): void {
  const missing = cables.flat().filter((name) => !numbers.has(name));
  if (missing.length > 0)
    throw new VnetError(
      'VNET_INTERFACE',
      `Laying cables: there is no interface ${missing.join(', ')} in this network namespace; make it first, or name another ("ip link" lists them)`,
    );
}
