/**
 * What of a meter outlives its process: the programs at their interfaces, in pinned links, and the maps they count in. The
 * next meter of the name puts its own programs in the place of those, and reads the maps.
 *
 *     /sys/fs/bpf/tunnelscope/meter/NAME            whoever holds its lock is the meter of that name
 *     /sys/fs/bpf/tunnelscope/meter/NAME/link_2_ingress
 *     /sys/fs/bpf/tunnelscope/meter/NAME/AGENT/…    maps, and what is needed to read them
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  attachTc,
  linkPin,
  linkPinsIn,
  lockPinDirectory,
  namesIn,
  openLinkPin,
  removeIfEmpty,
  setNetworkNamespace,
  type TcAttachment,
  type TcOptions,
  type TcPlace,
  takeClsact,
  unpin,
} from '../bpf/index.ts';
import { MeterError } from './error.ts';
import { FormerMeter, PINNED_MAPS, pinOf, removeMeterPins, STATE_PIN } from './former.ts';
import type { LoadedMeter } from './loaded.ts';
import { PinnedState, type StateText, stateText } from './pinned-state.ts';

const BPF_FILES = '/sys/fs/bpf';
const PIN_ROOT = join(BPF_FILES, 'tunnelscope/meter');
/** statfs(2) of a BPF file system: BPF_FS_MAGIC, linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;
/** Place of our clsact filters: "TS" in ASCII, so that a start after a crash finds and replaces them. */
export const CLSACT_PLACE = 0x5453;
const PROGRAMS = ['ts_ingress', 'ts_egress', 'ts_ingress_bare', 'ts_egress_bare'];
const DIRECTIONS = ['ingress', 'egress'] as const;
/** A process that was killed is a moment in ending, and holds its lock that long. */
const PATIENCE_MS = 2_000;
const TRY_AGAIN_MS = 10;

/** The pins of a name, ours as long as we hold it. Disposing it lets go; what is pinned stays. */
export class MeterPins implements Disposable {
  readonly #directory: string;
  readonly #opened: DisposableStack;
  readonly #state: PinnedState;
  #formers: readonly FormerMeter[];
  /** Of the meter that holds them. */
  #own: string | undefined;

  private constructor(
    directory: string,
    opened: DisposableStack,
    { state, formers }: { readonly state: PinnedState; readonly formers: readonly FormerMeter[] },
  ) {
    this.#directory = directory;
    this.#opened = opened;
    this.#state = state;
    this.#formers = formers;
  }

  /**
   * Takes a name, and looks at what was left there.
   *
   * @throws MeterError `METER_BUSY` when another process has it, `METER_PINS` where nothing can be pinned
   */
  static async claim(name: string): Promise<MeterPins> {
    const directory = join(PIN_ROOT, name);
    using stack = new DisposableStack();
    stack.use(await lock(directory));
    const state = stack.use(PinnedState.create());
    const formers: FormerMeter[] = [];
    for (const agent of namesIn(directory)) {
      if (linkPinsIn(directory).has(agent)) continue;
      const former = FormerMeter.open(join(directory, agent), agent);
      if (former) formers.push(stack.use(former));
    }
    formers.sort((a, b) => a.beganMs - b.beganMs);
    return new MeterPins(directory, stack.move(), { state, formers });
  }

  /** Meters that were left here, the oldest first. */
  get formers(): readonly FormerMeter[] {
    return this.#formers;
  }

  /** Pins the maps of a meter, before it attaches anything. @throws BpfError */
  keep(agent: string, loaded: LoadedMeter): void {
    const directory = join(this.#directory, agent);
    this.#own = directory;
    for (const name of PINNED_MAPS) loaded.map(name).pin(join(directory, pinOf(name)));
    this.#state.pin(join(directory, STATE_PIN));
  }

  /** Writes down for the next meter what the maps are of. */
  describe({
    loaded,
    ...about
  }: Pick<StateText, 'label' | 'namespace' | 'points'> & { readonly loaded: LoadedMeter }): void {
    const { controlAt, sizes, firstReading } = loaded;
    this.#state.write(stateText({ ...about, controlAt, sizes }, firstReading));
  }

  /** When the epoch of a parity began. */
  markBegin(parity: 0 | 1, ms: number): void {
    this.#state.begin(parity, ms);
  }

  /** This epoch is somebody's: its half may be cleared. */
  markTaken(epoch: number): void {
    this.#state.taken = epoch;
  }

  /** From here on nothing is attached. */
  markEnd(): void {
    this.#state.end();
  }

  /**
   * Attaches a program, in one step in place of a former meter's where that is by the same hook. @throws BpfError
   */
  attach(options: TcOptions): TcAttachment {
    const { ifindex, direction, mode, program } = options;
    if (mode === 'clsact') this.#dropLink({ ifindex, direction });
    else {
      this.#dropFilter({ ifindex, direction });
      const former = openLinkPin(this.#directory, { ifindex, direction });
      if (former) {
        former.replace(program);
        return former;
      }
    }
    const attachment = attachTc(options);
    if (attachment.kind === 'tcx') attachment.pin(join(this.#directory, linkPin({ ifindex, direction })));
    return attachment;
  }

  /** Takes a program off for good. */
  detach(attachment: TcAttachment): void {
    attachment.detach();
    unpin(join(this.#directory, linkPin(attachment)));
  }

  /** Takes off what former meters attached where `has` says that this one has nothing. */
  settle(has: (place: TcPlace) => boolean): void {
    for (const place of linkPinsIn(this.#directory).values()) if (!has(place)) this.#dropLink(place);
    for (const former of this.#formers)
      for (const { ifindex } of former.points)
        for (const direction of DIRECTIONS)
          if (!has({ ifindex, direction })) this.#dropFilter({ ifindex, direction });
  }

  /** A former meter is read: its pins go. */
  removeFormer(former: FormerMeter): void {
    former.remove();
    former[Symbol.dispose]();
    this.#formers = this.#formers.filter((each) => each !== former);
  }

  /** Takes away the maps of the meter that holds the name, and the directory where nothing else is left. */
  removeOwn(): void {
    if (this.#own !== undefined) removeMeterPins(this.#own);
    removeIfEmpty(this.#directory, PIN_ROOT, join(PIN_ROOT, '..'));
  }

  /** Takes everything away, read or not. */
  purge(): void {
    const [former] = this.#formers;
    const hasFilters = this.#formers.some(({ points }) => points.some(({ hook }) => hook === 'clsact'));
    // Links know their interfaces; a filter is found by a number, which is another's in another namespace.
    if (hasFilters && former?.namespace !== undefined) setNetworkNamespace(`/run/netns/${former.namespace}`);
    this.settle(() => false);
    for (const each of this.#formers) this.removeFormer(each);
    this.removeOwn();
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  #dropLink(place: TcPlace): void {
    openLinkPin(this.#directory, place)?.detach();
    unpin(join(this.#directory, linkPin(place)));
  }

  /** Where a former meter says that it had a filter. */
  #dropFilter({ ifindex, direction }: TcPlace): void {
    const isThere = this.#formers.some(({ points }) =>
      points.some((point) => point.ifindex === ifindex && point.hook === 'clsact'),
    );
    if (!isThere) return;
    takeClsact({ ifindex, direction, handle: CLSACT_PLACE, priority: CLSACT_PLACE }, PROGRAMS)?.detach();
  }
}

/** What is left under a name in the kernel by a meter that does not run. */
export interface LeftMeter {
  readonly name: string;
  /** What its instance was called. */
  readonly label: string;
}

/** What meters that do not run have left in the kernel. */
export async function leftMeters(): Promise<LeftMeter[]> {
  const left: LeftMeter[] = [];
  for (const name of namesIn(PIN_ROOT)) {
    const directory = join(PIN_ROOT, name);
    using held = lockPinDirectory(directory);
    if (!held) continue;
    const [agent] = namesIn(directory).filter((each) => !linkPinsIn(directory).has(each));
    using former = agent === undefined ? undefined : FormerMeter.open(join(directory, agent), agent);
    left.push({ name, label: former?.label ?? '' });
  }
  return left;
}

/** Takes away what a meter that does not run has left, programs and counts. @throws MeterError `METER_BUSY` when it runs */
export async function purgeMeter(name: string): Promise<void> {
  using pins = await MeterPins.claim(name);
  pins.purge();
}

async function lock(directory: string): Promise<Disposable> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = tryLock(directory);
    if (held) return held;
    if (performance.now() >= deadline)
      throw new MeterError(
        'METER_BUSY',
        `another process meters for the history whose pins are ${directory}`,
        {
          remedy: 'stop it first, or keep another history (history.directory)',
        },
      );
    await delay(TRY_AGAIN_MS);
  }
}

function tryLock(directory: string): Disposable | undefined {
  try {
    if (statfsSync(BPF_FILES).type !== BPF_FS_MAGIC) throw new Error(`${BPF_FILES} is no BPF file system`);
    return lockPinDirectory(directory);
  } catch (cause) {
    throw new MeterError(
      'METER_PINS',
      `nothing can be pinned in ${directory} (${(cause as Error).message})`,
      {
        cause,
        remedy: 'mount a BPF file system: mount -t bpf bpf /sys/fs/bpf',
      },
    );
  }
}
