/** Kernel memory of the flow maps, as the kernel accounts it. */
import { readFileSync } from 'node:fs';
import { type BpfMap, BpfObject } from '../src/bpf/index.ts';
import { configureMeter, METER_OBJECT } from '../src/meter/index.ts';
import type { Benchmark, Figure } from './figure.ts';

export const memory: Benchmark = {
  name: 'memory',
  method:
    'The meter with its default sizes; `memlock` of the fdinfo of a table’s rows and its index over the number of flows both halves hold. ' +
    'The floor is key + fields. Each epoch has its own half, so a flow’s place exists twice; the target is per half.',
  async run() {
    using object = BpfObject.openFile(METER_OBJECT);
    configureMeter(object);
    object.load();
    return [
      perFlow(object, 'narrow', 'narrow: all addresses IPv4', true),
      perFlow(object, 'wide', 'wide: with IPv6 addresses or nested tunnels', true),
      total(object),
    ];
  },
};

function perFlow(object: BpfObject, shape: string, name: string, isTarget: boolean): Figure {
  const rows = object.map(`${shape}_rows`);
  const index = object.map(`${shape}_index`);
  const figure = (memlock(rows) + memlock(index)) / rows.maxEntries;
  return {
    name,
    unit: 'octets/flow',
    figure,
    floor: rows.valueSize,
    ratio: figure / rows.valueSize,
    ...(isTarget && { target: { of: 'figure' as const, atMost: 224 } }),
    note: `${rows.maxEntries / 2} flows: ${figure.toFixed(2)}; with both halves ${(2 * figure).toFixed(0)} octets`,
  };
}

/** All maps of the meter together. */
function total(object: BpfObject): Figure {
  const octets = object.mapNames.reduce((sum, name) => sum + memlock(object.map(name)), 0);
  return {
    name: 'all maps',
    unit: 'MiB',
    figure: octets / 2 ** 20,
    note: 'default sizes, per-CPU areas included',
  };
}

function memlock(map: BpfMap): number {
  return Number(/^memlock:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${map.fd}`, 'utf8'))![1]);
}
