/** The relay: cables made of BPF between interfaces, by which topologies are joined. */
import { fileURLToPath } from 'node:url';
import { Cable, Outcome } from './gen/relay.ts';
import { type Line, lineAt, readLedger } from './ledger.ts';
import { PinnedObject } from './pinned.ts';

const OBJECT = fileURLToPath(new URL('../../bpf/vnet/relay.bpf.o', import.meta.url));

/** Two interfaces of this thread's network namespace, by number. */
export type CableEnds = readonly [number, number];

/** What went through a cable from one end, by what it was. */
export type Relayed = Readonly<Record<'ipv4' | 'ipv6' | 'arp' | 'other', Line>>;

/** What the relay did with all packets that it saw. */
export type RelayLedger = ReturnType<typeof readLedger<keyof typeof Outcome>>;

/** Cables between interfaces, in the kernel. Disposing leaves them there; `remove` takes them away. */
export class Relay implements Disposable {
  readonly #pinned: PinnedObject;

  private constructor(pinned: PinnedObject) {
    this.#pinned = pinned;
  }

  /**
   * Lays cables, or takes over those of a former process of this name: those that are laid still keep their counts.
   *
   * @throws BpfError
   */
  static open(name: string, cables: readonly CableEnds[]): Relay {
    using stack = new DisposableStack();
    const pinned = stack.use(
      PinnedObject.open({ name, object: OBJECT, kept: { cables: { value: Cable }, ledger: {} } }),
    );
    const relay = new Relay(pinned);
    relay.lay(cables);
    stack.move();
    return relay;
  }

  /** Has these cables and no others. Those that are laid already keep their counts. @throws BpfError */
  lay(cables: readonly CableEnds[]): void {
    const map = this.#pinned.map('cables');
    const ends = new Map(cables.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
    for (const key of map.keys()) {
      const ifindex = new Uint32Array(key.buffer)[0]!;
      if (ends.has(ifindex)) continue;
      this.#pinned.detach({ ifindex, direction: 'ingress' });
      map.delete(key);
    }
    for (const [from, to] of ends) {
      const key = keyOf(from);
      const former = map.lookup(key);
      if (former && new Uint32Array(former.buffer)[0] === to) continue;
      const value = new Uint8Array(Cable.size);
      new Uint32Array(value.buffer)[0] = to;
      map.update(key, value);
    }
    for (const ifindex of ends.keys())
      this.#pinned.attach({ program: 'ts_relay', ifindex, direction: 'ingress' });
    this.#pinned.settle();
  }

  /** What came in at an interface and went out at the other end. @returns undefined where there is no cable */
  relayed(ifindex: number): Relayed | undefined {
    const value = this.#pinned.map('cables').lookup(keyOf(ifindex));
    if (value === undefined) return undefined;
    const { ipv4, ipv6, arp, other } = Cable.offsets;
    return {
      ipv4: lineAt(value, ipv4),
      ipv6: lineAt(value, ipv6),
      arp: lineAt(value, arp),
      other: lineAt(value, other),
    };
  }

  ledger(): RelayLedger {
    return readLedger(this.#pinned.map('ledger'), Outcome);
  }

  /** Takes the cables away. */
  remove(): void {
    this.#pinned.remove();
  }

  [Symbol.dispose](): void {
    this.#pinned[Symbol.dispose]();
  }
}

function keyOf(ifindex: number): Uint8Array {
  return new Uint8Array(new Uint32Array([ifindex]).buffer);
}
