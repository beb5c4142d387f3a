/** Kernel memory of the flow maps, as the kernel accounts it. */
import { readFileSync } from 'node:fs';
import { type BpfMap, BpfObject } from '../src/bpf/index.ts';
import { METER_OBJECT } from '../src/meter/index.ts';
import type { Benchmark, Figure } from './figure.ts';

export const memory: Benchmark = {
  name: 'memory',
  method:
    'The meter with its default sizes; `memlock` of each map’s fdinfo over its number of entries. The floor is key + ' +
    'fields. Each epoch has its own half of the maps, so a flow’s place exists twice; the target is per half.',
  async run() {
    using object = BpfObject.openFile(METER_OBJECT);
    object.load();
    return [
      perFlow(object.map('narrow_0'), 'narrow: all addresses IPv4', true),
      perFlow(object.map('wide_0'), 'wide: with IPv6 addresses', true),
      perFlow(object.map('deep_0'), 'deep: nested tunnels', false),
      total(object),
    ];
  },
};

function perFlow(map: BpfMap, name: string, isTarget: boolean): Figure {
  const figure = memlock(map) / map.maxEntries;
  const floor = map.keySize + map.valueSize;
  return {
    name,
    unit: 'octets/flow',
    figure,
    floor,
    ratio: figure / floor,
    ...(isTarget && { target: { of: 'figure' as const, atMost: 224 } }),
    note: `key ${map.keySize} + fields ${map.valueSize} octets, ${map.maxEntries} entries: ${figure.toFixed(2)}; with both halves ${(2 * figure).toFixed(0)} octets`,
  };
}

/** All maps of the meter together. */
function total(object: BpfObject): Figure {
  const octets = object.mapNames.reduce((sum, name) => sum + memlock(object.map(name)), 0);
  return { name: 'all maps', unit: 'MiB', figure: octets / 2 ** 20, note: 'default sizes, preallocated' };
}

function memlock(map: BpfMap): number {
  return Number(/^memlock:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${map.fd}`, 'utf8'))![1]);
}
