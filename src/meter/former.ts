/** A meter whose process is gone: its maps, pinned, and the epochs in them that nobody has. */
import { join } from 'node:path';
import { BpfMap, type Mapping, MapWindow, namesIn, removeIfEmpty, unpin } from '../bpf/index.ts';
import {
  createColumns,
  type FlowBatch,
  type LedgerLine,
  type ObservationPoint,
  type SeenLine,
} from '../flow/index.ts';
import { Control, pointOf } from '../record/index.ts';
import { type ClockReading, tickMs } from './clock.ts';
import { EpochMaps, parityOf, type RetiredEpoch } from './epoch-maps.ts';
import { MeterError } from './error.ts';
import {
  PinnedState,
  type SeenPlaces,
  STATE_DIGEST,
  type StatePoint,
  type StateText,
} from './pinned-state.ts';

/** The maps that outlive a meter, as the object names them. */
export const PINNED_MAPS = [
  '.bss',
  'cpu_areas',
  'row_sources',
  'narrow_rows',
  'narrow_index',
  'wide_rows',
  'wide_index',
  'overflow_0',
  'overflow_1',
  'ledger_0',
  'ledger_1',
  'seen_crowded_0',
  'seen_crowded_1',
] as const;
/** Pinned last and taken away first: where it is, all is. */
export const STATE_PIN = 'state';

/** Reason in the ledger: packets that a former meter of another version counted, which this one cannot tell apart. */
export const UNREAD = 'history_unread';

/** Names in a BPF file system have no dots. */
export function pinOf(map: string): string {
  return map.replace('.', '');
}

/** When and by what clock former epochs are read. */
export interface FormerReading {
  /** Both clocks at `nowMs`. */
  readonly clock: ClockReading;
  /** When nobody could write to them any more, Unix epoch, milliseconds. */
  readonly nowMs: number;
  /** The last epoch of it that is kept elsewhere. */
  readonly known: number;
}

interface FormerEpoch {
  readonly epoch: bigint;
  readonly startMs: number;
  readonly endMs: number;
}

/** Disposing it closes what this process holds; `remove` takes its pins away. */
export class FormerMeter implements Disposable {
  readonly agent: string;
  readonly #directory: string;
  readonly #state: PinnedState | undefined;
  readonly #text: StateText | undefined;

  private constructor(directory: string, agent: string, state: PinnedState | undefined) {
    this.#directory = directory;
    this.agent = agent;
    this.#state = state;
    this.#text = state?.text;
  }

  /** Undefined where the process was killed before it attached anything; such pins are removed. @throws BpfError */
  static open(directory: string, agent: string): FormerMeter | undefined {
    if (namesIn(directory).includes(STATE_PIN)) {
      const state = PinnedState.open(join(directory, STATE_PIN));
      if (!state?.isBlank) return new FormerMeter(directory, agent, state);
      state[Symbol.dispose]();
    }
    removeMeterPins(directory);
    return undefined;
  }

  /** What its instance was called; empty where it does not say in a way that this version knows. */
  get label(): string {
    return this.#text?.label ?? '';
  }

  get namespace(): string | undefined {
    return this.#text?.namespace ?? undefined;
  }

  /** The interfaces it was attached to, as far as it says. */
  get points(): readonly StatePoint[] {
    return this.#text?.points ?? [];
  }

  /** When its last epoch began, Unix epoch, milliseconds. */
  get beganMs(): number {
    return Math.max(this.#state?.beganMs(0) ?? 0, this.#state?.beganMs(1) ?? 0);
  }

  /**
   * Its epochs that are not known: the one that was retired, where nobody took it, and the one that was under way. Nobody may
   * write to its maps any more.
   *
   * @throws MeterError `METER_UNREAD` where it is not even known how much it saw
   */
  *epochs({ clock, nowMs, known }: FormerReading): Generator<FlowBatch, void> {
    const state = this.#state;
    const text = this.#text;
    if (!state || !text) throw unread(this.agent, 'what it left says nothing that this version understands');
    using maps = new FormerMaps(this.#directory);
    const words = new BigUint64Array(maps.bss.buffer.slice(text.controlAt), 0, Control.size >> 3);
    const current = words[Control.offsets.epoch >> 3]!;
    const ended: FormerEpoch = {
      epoch: current - 1n,
      startMs: state.beganMs(parityOf(current - 1n)),
      endMs: state.beganMs(parityOf(current)),
    };
    const underWay: FormerEpoch = { epoch: current, startMs: state.beganMs(parityOf(current)), endMs: nowMs };
    const stamps = {
      jiffies: clock.jiffies,
      nowMs,
      tickMs: tickMs(
        { jiffies: BigInt(text.clock.jiffies), monotonicNs: BigInt(text.clock.monotonicNs) },
        clock,
      ),
    };
    const last = Math.max(known, state.taken);
    const points = pointsOf(text.points);
    using tables = text.digest === STATE_DIGEST ? new EpochMaps(maps, words, text.sizes) : undefined;
    for (const { epoch, startMs, endMs } of [ended, underWay]) {
      const number = numberOf(epoch);
      if (epoch < 0n || number <= last) continue;
      const held = tables
        ? tables.read(parityOf(epoch), stamps, epoch)
        : unreadEpoch(maps.map('cpu_areas'), text.seen, parityOf(epoch));
      const isAfterTheEnd = epoch === current && state.hasEnded && held.seen.length === 0;
      if (isAfterTheEnd) continue;
      yield { epoch: number, agent: this.agent, startMs, endMs, points, counters: [], ...held };
    }
  }

  /** Takes its pins away: nobody needs what is in them any more. */
  remove(): void {
    removeMeterPins(this.#directory);
  }

  [Symbol.dispose](): void {
    this.#state?.[Symbol.dispose]();
  }
}

/** The number of an epoch in batches; the kernel's begin at 0. */
export function numberOf(epoch: bigint): number {
  return Number(epoch) + 1;
}

/** First what says that all is there: a process that is killed meanwhile leaves what is removed by the next. */
export function removeMeterPins(directory: string): void {
  const names = namesIn(directory);
  for (const name of [STATE_PIN, ...names]) if (names.includes(name)) unpin(join(directory, name));
  removeIfEmpty(directory);
}

/** Pinned maps, opened when they are asked for. */
class FormerMaps implements Disposable {
  readonly #directory: string;
  readonly #stack = new DisposableStack();
  readonly #maps = new Map<string, BpfMap>();
  readonly bss: Mapping;

  constructor(directory: string) {
    this.#directory = directory;
    this.bss = this.#stack.use(this.map('.bss').mmap());
  }

  map(name: string): BpfMap {
    const known = this.#maps.get(name);
    if (known) return known;
    const map = this.#stack.use(BpfMap.openPinned(join(this.#directory, pinOf(name)), name));
    this.#maps.set(name, map);
    return map;
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** What was seen, as a ledger of packets that cannot be told apart. */
function unreadEpoch(map: BpfMap, places: SeenPlaces, parity: 0 | 1): RetiredEpoch {
  const sums = new Map<number, { packets: bigint; octets: bigint }>();
  const length = places.places * places.octets;
  using window = MapWindow.open(map, length);
  for (let cpu = 0; cpu < map.maxEntries; cpu++) {
    const at = window.show(cpu * places.areaOctets + places.at[parity], length);
    const view = new DataView(window.buffer, at, length);
    for (let line = 0; line < length; line += places.octets) {
      const point = view.getUint32(line + places.point, true);
      if (point === 0) continue;
      const sum = sums.get(point) ?? { packets: 0n, octets: 0n };
      sums.set(point, {
        packets: sum.packets + view.getBigUint64(line + places.packetsAt, true),
        octets: sum.octets + view.getBigUint64(line + places.octetsAt, true),
      });
    }
  }
  const seen: SeenLine[] = [...sums].map(([point, sum]) => ({ ...pointOf(point), ...sum }));
  const ledger: LedgerLine[] = seen.map((line) => ({ ...line, reason: UNREAD, level: 0 }));
  return { length: 0, columns: createColumns(0), seen, ledger };
}

function pointsOf(points: readonly StatePoint[]): ObservationPoint[] {
  return points.flatMap(({ ifindex, name, primary }) =>
    ([0, 1] as const).map((direction) => ({ ifindex, direction, interfaceName: name, primary })),
  );
}

function unread(agent: string, why: string): MeterError {
  return new MeterError(
    'METER_UNREAD',
    `what the former meter ${agent} counted after it was read last is lost: ${why}`,
    { remedy: 'stop the former version without --keep before another one starts' },
  );
}
