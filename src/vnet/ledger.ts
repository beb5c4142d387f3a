/** What became of the packets that a network function saw, as `bpf/vnet/ledger.h` keeps it. */
import { type BpfMap, possibleCpus } from '../bpf/index.ts';

/** Packets and octets on the wire, since the function was set up. */
export interface Line {
  readonly packets: bigint;
  readonly octets: bigint;
}

/** Octets of a struct line. */
const LINE_OCTETS = 16;

/**
 * The lines of a ledger by name, summed over the CPUs.
 *
 * @param outcomes the generated enum: name → number
 */
export function readLedger<Name extends string>(
  map: BpfMap,
  outcomes: Readonly<Record<Name, number>>,
): Readonly<Record<Exclude<Name, 'OUTCOME_COUNT'>, Line>> {
  const key = new Uint32Array(1);
  const lines: Record<string, Line> = {};
  for (const [name, number] of Object.entries<number>(outcomes)) {
    if (name === 'OUTCOME_COUNT') continue;
    key[0] = number;
    const value = map.lookup(new Uint8Array(key.buffer))!;
    lines[name] = sumLines(value, map.valueStride);
  }
  return lines as Record<Exclude<Name, 'OUTCOME_COUNT'>, Line>;
}

/** Adds up one struct line of each CPU, so many octets apart, from `offset` on. */
export function sumLines(bytes: Uint8Array, stride: number, offset = 0): Line {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let packets = 0n;
  let octets = 0n;
  for (let cpu = 0; cpu < possibleCpus(); cpu++) {
    packets += view.getBigUint64(cpu * stride + offset, true);
    octets += view.getBigUint64(cpu * stride + offset + LINE_OCTETS / 2, true);
  }
  return { packets, octets };
}

/** One struct line that all CPUs write. */
export function lineAt(bytes: Uint8Array, offset: number): Line {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    packets: view.getBigUint64(offset, true),
    octets: view.getBigUint64(offset + LINE_OCTETS / 2, true),
  };
}
