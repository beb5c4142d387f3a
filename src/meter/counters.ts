/** The interfaces' own counters beside what the hooks saw, read just before and just after each end of an epoch. */
import { CounterSocket, type TcAttachment, tcxPrograms } from '../bpf/index.ts';
import type { CounterLine, CounterReading, CounterValues } from '../flow/index.ts';

const DIRECTIONS = [0, 1] as const;
type ByDirection<Value> = readonly [ingress: Value, egress: Value];

/** What is compared at one interface. */
interface Place {
  readonly kind: string;
  readonly programs: ByDirection<{ readonly attachment: TcAttachment; readonly programId: number }>;
  begin: ByDirection<CounterReading>;
  neighbours: ByDirection<CounterLine['programs']>;
  /** Not metered any more: told once with its last line, and forgotten. */
  isLeft: boolean;
}

/** Follows the counters of the metered interfaces from epoch to epoch. Belongs to the thread that opened it. */
export class Counters implements Disposable {
  readonly #socket: CounterSocket = CounterSocket.open();
  readonly #places = new Map<number, Place>();
  /** Of this epoch's end, while it is being made. */
  #before = new Map<number, ByDirection<CounterValues>>();

  /** Reads the counters of an interface; undefined when it is gone. */
  read(ifindex: number): ByDirection<CounterValues> | undefined {
    const counters = this.#socket.read(ifindex);
    if (!counters) return undefined;
    const queue = this.#socket.readQueue(ifindex);
    const { rxPackets, rxOctets, rxDropped, txPackets, txOctets, txDropped } = counters;
    return [
      { packets: rxPackets, octets: rxOctets, dropped: rxDropped, waiting: 0n },
      {
        packets: txPackets,
        octets: txOctets,
        dropped: txDropped + BigInt(queue?.dropped ?? 0),
        waiting: BigInt(queue?.waiting ?? 0),
      },
    ];
  }

  /**
   * From now on the interface is compared. One whose programs were only taken off and put back is compared as if they had
   * been there: what passed meanwhile is missing, and is to be shown so.
   *
   * @param before the counters before the programs were attached
   */
  add(
    ifindex: number,
    place: Pick<Place, 'kind' | 'programs'>,
    before: ByDirection<CounterValues> | undefined,
  ): void {
    const after = this.read(ifindex);
    if (!before || !after) return;
    const known = this.#places.get(ifindex);
    const begin = known && !known.isLeft ? known.begin : readings(before, after);
    this.#places.set(ifindex, { ...place, begin, neighbours: [undefined, undefined], isLeft: false });
  }

  /** It is not to be metered any more. */
  leave(ifindex: number): void {
    const place = this.#places.get(ifindex);
    if (place) place.isLeft = true;
  }

  /** Just before an epoch ends: the first of two readings. */
  beforeEnd(): void {
    this.#before = new Map();
    for (const place of this.#places.values())
      place.neighbours = [neighbours(place, 0), neighbours(place, 1)];
    for (const ifindex of this.#places.keys()) {
      const values = this.read(ifindex);
      if (values) this.#before.set(ifindex, values);
    }
  }

  /** Just after it ended: the second reading. What is gone is told with its last line. */
  afterEnd(): CounterLine[] {
    // All readings first: what is done with them can wait.
    const after = new Map([...this.#places.keys()].map((ifindex) => [ifindex, this.read(ifindex)]));
    const lines: CounterLine[] = [];
    for (const [ifindex, place] of this.#places) {
      const first = this.#before.get(ifindex);
      const second = after.get(ifindex);
      const end = place.isLeft ? undefined : first && second && readings(first, second);
      for (const direction of DIRECTIONS) {
        lines.push({
          ifindex,
          direction,
          kind: place.kind,
          begin: place.begin[direction],
          end: end?.[direction],
          programs: place.neighbours[direction],
        });
      }
      if (end) place.begin = end;
      else this.#places.delete(ifindex);
    }
    return lines;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

function readings(
  before: ByDirection<CounterValues>,
  after: ByDirection<CounterValues>,
): ByDirection<CounterReading> {
  return [
    { before: before[0], after: after[0] },
    { before: before[1], after: after[1] },
  ];
}

/** Who runs before ours and after it; undefined where that cannot be told. */
function neighbours({ programs }: Pick<Place, 'programs'>, direction: 0 | 1): CounterLine['programs'] {
  const { attachment, programId } = programs[direction];
  if (attachment.kind !== 'tcx') return undefined;
  try {
    const all = tcxPrograms(attachment);
    const at = all.findIndex(({ id }) => id === programId);
    if (at < 0) return undefined;
    const nameOf = ({ id, name }: { id: number; name: string }): string => name || `program ${id}`;
    return { before: all.slice(0, at).map(nameOf), after: all.slice(at + 1).map(nameOf) };
  } catch {
    // Gone in between.
    return undefined;
  }
}
