/** Packets through the loaded meter, one at a time, and what their builder expects of an epoch of them. */
import assert from 'node:assert/strict';
import { testRun } from '../src/bpf/index.ts';
import { FIELDS, type FieldName, formatAddress, formatMac } from '../src/flow/index.ts';
import { LoadedMeter, type LoadOptions, type RetiredEpoch } from '../src/meter/index.ts';
import type { Model, Verdict } from '../src/wire/index.ts';

/** What segmentation makes of a super-packet. */
export interface WireTruth {
  readonly packets: number;
  readonly octets: number;
  readonly longest: number;
  readonly shortest: number;
}

/** How a packet is given to the program. */
export interface RunOptions {
  /** Default: ingress. */
  readonly egress?: boolean;
  /**
   * The packet is of a device without Ethernet headers. The test run wants one all the same: it stands in front, and is
   * no part of the packet.
   */
  readonly bare?: boolean;
  /** Members of struct __sk_buff that a test may set. */
  readonly skb?: { readonly ifindex?: number; readonly gsoSize?: number; readonly gsoSegs?: number };
  /** Default: the packet as it is. */
  readonly wire?: WireTruth;
}

/** Offsets in struct __sk_buff (include/uapi/linux/bpf.h), and its size. */
const SKB = { ifindex: 40, gsoSegs: 164, gsoSize: 176, size: 192 } as const;
/** The loopback interface: where BPF_PROG_TEST_RUN puts a packet unless told otherwise. */
const LOOPBACK = 1;

const KEYS = (Object.keys(FIELDS) as FieldName[]).filter((name) => FIELDS[name].key);
const COUNTERS = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => !FIELDS[name].key && name !== 'firstMs' && name !== 'lastMs',
);

type Line = Record<string, bigint | number | string>;

/** A loaded meter and the packets it was given since the last {@link settle}. */
export class Trial implements Disposable {
  readonly meter: LoadedMeter;
  #records = new Map<string, Line>();
  #ledger = new Map<string, { packets: number; octets: number }>();
  #seen = new Map<string, { packets: number; octets: number }>();

  constructor(options: Partial<LoadOptions> = {}) {
    this.meter = LoadedMeter.load(options);
  }

  /**
   * Runs the program on a packet; without a verdict only that it was seen is expected, see {@link drain}.
   *
   * @returns false when this kernel's test run does not take such a packet: see {@link isCutInIp}
   */
  run(frame: Uint8Array, verdict: Verdict | undefined, options: RunOptions = {}): boolean {
    const given = options.bare ? behindEthernet(frame) : frame;
    if (isCutInIp(given)) return false;
    const { meter } = this;
    const program = options.bare
      ? options.egress
        ? meter.bareEgress
        : meter.bareIngress
      : options.egress
        ? meter.egress
        : meter.ingress;
    const { retval } = testRun(program, {
      packet: given,
      ...(options.skb && { context: skbOf(options.skb) }),
    });
    if (retval !== 0xffff_ffff) assert.fail(`the program returned ${retval}, not TC_ACT_UNSPEC`);
    const point = `${options.skb?.ifindex ?? LOOPBACK} ${options.egress ? 1 : 0}`;
    add(this.#seen, point, frame.byteLength);
    if (verdict?.record) this.#expectRecord(point, verdict.record, frame.byteLength, options.wire);
    else if (verdict) add(this.#ledger, `${point} ${verdict.reason} ${verdict.level}`, frame.byteLength);
    return true;
  }

  /** Ends the epoch and asserts that it holds exactly what was expected. */
  async settle(): Promise<RetiredEpoch> {
    const { epoch, differences } = await this.compare();
    if (differences.length > 0) {
      const more = differences.length > 8 ? [`(${differences.length - 8} more)`] : [];
      assert.fail([...differences.slice(0, 8), ...more].join('\n'));
    }
    return epoch;
  }

  /** Ends the epoch and says how it differs from what was expected. */
  async compare(): Promise<{ epoch: RetiredEpoch; differences: string[] }> {
    const records = this.#records;
    const ledger = this.#ledger;
    const epoch = await this.drain();
    const found = new Map(Array.from({ length: epoch.length }, (_, row) => lineOf(epoch, row)));
    const lines = new Map(epoch.ledger.map((l) => [`${l.ifindex} ${l.direction} ${l.reason} ${l.level}`, l]));
    const differences = [
      ...differencesOf(records, found, 'record'),
      ...differencesOf(ledger, lines, 'ledger'),
    ];
    return { epoch, differences };
  }

  /** Ends the epoch and asserts conservation: all packets seen are in a record or in the ledger. */
  async drain(): Promise<RetiredEpoch> {
    const seen = this.#seen;
    this.#records = new Map();
    this.#ledger = new Map();
    this.#seen = new Map();
    const parity = await this.meter.flip();
    const epoch = this.meter.read(parity, Date.now());
    this.meter.clear(parity);
    for (const [point, expected] of seen) {
      const explained = { packets: 0, octets: 0 };
      const here = ({ ifindex, direction }: { ifindex: number; direction: number }): boolean =>
        `${ifindex} ${direction}` === point;
      for (const line of epoch.ledger.filter(here)) {
        explained.packets += Number(line.packets);
        explained.octets += Number(line.octets);
      }
      for (let row = 0; row < epoch.length; row++) {
        if (!here({ ifindex: epoch.columns.ifindex[row]!, direction: epoch.columns.direction[row]! }))
          continue;
        explained.packets += Number(epoch.columns.packets[row]);
        explained.octets += Number(epoch.columns.octets[row]);
      }
      assert.deepEqual(explained, expected, `records and ledger explain all at ${point}`);
      const line = epoch.seen.find(here);
      assert.deepEqual({ packets: Number(line?.packets), octets: Number(line?.octets) }, expected);
    }
    assert.equal(epoch.seen.length, seen.size, 'nothing was seen elsewhere');
    return epoch;
  }

  [Symbol.dispose](): void {
    this.meter[Symbol.dispose]();
  }

  #expectRecord(point: string, model: Model, octets: number, truth: WireTruth | undefined): void {
    const [ifindex, direction] = point.split(' ').map(Number);
    const all: Line = { ...model, ifindex: ifindex!, direction: direction! };
    const wire = truth ?? { packets: 1, octets, longest: octets, shortest: octets };
    const key = KEYS.map((name) => all[name]).join(' ');
    let line = this.#records.get(key);
    if (!line) {
      line = { ...all, octets: 0n, packets: 0n, payloadOctets: 0n, wireOctets: 0n, wirePackets: 0n };
      Object.assign(line, { longest: 0, shortest: 65_535, tcpFlags: 0 });
      this.#records.set(key, line);
    }
    line.octets = (line.octets as bigint) + BigInt(octets);
    line.packets = (line.packets as bigint) + 1n;
    line.payloadOctets = (line.payloadOctets as bigint) + model.payloadOctets;
    line.wireOctets = (line.wireOctets as bigint) + BigInt(wire.octets);
    line.wirePackets = (line.wirePackets as bigint) + BigInt(wire.packets);
    line.longest = Math.max(line.longest as number, wire.longest);
    line.shortest = Math.min(line.shortest as number, wire.shortest);
    line.tcpFlags = (line.tcpFlags as number) | model.tcpFlags;
  }
}

/**
 * Runs all items, settles, and names the items that went wrong: those alone are then run again in halves.
 *
 * @returns what differed, empty when all is as expected
 */
export async function settleAll<Item extends { readonly name: string }>(
  trial: Trial,
  items: readonly Item[],
  run: (item: Item) => void,
): Promise<string[]> {
  for (const item of items) run(item);
  const { differences } = await trial.compare();
  if (differences.length === 0) return [];
  if (items.length === 1) return [`${items[0]!.name}:\n${differences.slice(0, 4).join('\n')}`];
  const half = items.length >> 1;
  const first = await settleAll(trial, items.slice(0, half), run);
  if (first.length > 3) return first;
  const found = [...first, ...(await settleAll(trial, items.slice(half), run))];
  return found.length > 0 ? found : [`only together:\n${differences.slice(0, 4).join('\n')}`];
}

/** A packet of IP with an Ethernet header in front, as it stands at a device without them before Linux 5.14. */
function behindEthernet(bare: Uint8Array): Uint8Array {
  const frame = new Uint8Array(14 + bare.byteLength);
  frame.set(bare[0]! >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd], 12);
  frame.set(bare, 14);
  return frame;
}

/**
 * Whether the frame ends within an IP header right behind Ethernet: Linux 6.18.y refuses to run programs on those (EINVAL;
 * net/bpf/test_run.c). Behind a VLAN tag it does not look.
 */
export function isCutInIp(frame: Uint8Array): boolean {
  if (frame.byteLength >= 54) return false;
  const ethertype = (frame[12]! << 8) | frame[13]!;
  return (ethertype === 0x0800 && frame.byteLength < 34) || ethertype === 0x86dd;
}

function skbOf({ ifindex = 0, gsoSize = 0, gsoSegs = 0 }: NonNullable<RunOptions['skb']>): Uint8Array {
  const bytes = new Uint8Array(SKB.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(SKB.ifindex, ifindex, true);
  view.setUint32(SKB.gsoSegs, gsoSegs, true);
  view.setUint32(SKB.gsoSize, gsoSize, true);
  return bytes;
}

function add(map: Map<string, { packets: number; octets: number }>, key: string, octets: number): void {
  const line = map.get(key);
  if (line) {
    line.packets++;
    line.octets += octets;
  } else {
    map.set(key, { packets: 1, octets });
  }
}

/** A record as a line of plain values, by its key. */
function lineOf({ columns }: RetiredEpoch, row: number): [string, Line] {
  const line: Line = {};
  for (const name of [...KEYS, ...COUNTERS]) {
    const { bits } = FIELDS[name];
    const column = columns[name];
    if (bits === 128) line[name] = formatAddress(column as Uint8Array, 16 * row);
    else if (bits === 48) line[name] = formatMac(column as Uint8Array, 6 * row);
    else line[name] = column[row]!;
  }
  return [KEYS.map((name) => line[name]).join(' '), line];
}

function differencesOf(
  expected: ReadonlyMap<string, object>,
  found: ReadonlyMap<string, object>,
  what: string,
): string[] {
  const differences: string[] = [];
  for (const [key, line] of expected) {
    const other = found.get(key) as Line | undefined;
    if (!other) {
      differences.push(`expected ${what} is missing: ${inWords(line)}`);
      continue;
    }
    for (const [name, value] of Object.entries(line)) {
      // biome-ignore lint/suspicious/noDoubleEquals: counters are numbers on one side, bigint on the other
      if (other[name] != value)
        differences.push(`${what} ${key}: ${name} is ${other[name]}, expected ${value}`);
    }
  }
  for (const [key, line] of found)
    if (!expected.has(key)) differences.push(`unexpected ${what}: ${inWords(line)}`);
  return differences;
}

function inWords(line: object): string {
  return Object.entries(line)
    .filter(([, value]) => value !== 0 && value !== 0n && value !== '::')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
