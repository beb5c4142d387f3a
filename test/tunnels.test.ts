/** A second opinion on the tunnels of the packet builder and its model: tshark's, as far as it decodes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NETWORK } from '../src/flow/index.ts';
import type { Model, Packet, PacketModelOptions } from '../src/wire/index.ts';
import { flowText } from './flow-words.ts';
import { modelFlow } from './model-flow.ts';
import { decodeFields, dissect, hasTshark, type Layer } from './tshark.ts';
import { flowByTshark } from './tshark-flow.ts';
import { tsharkLimit } from './tshark-limits.ts';
import {
  bareCombinations,
  OPTIONAL,
  optionalCombinations,
  type TunnelCombination,
  tunnelCombinations,
} from './tunnel-combinations.ts';

/** What differs between a record and what tshark says of the packet. */
function differences(record: Model, layers: readonly Layer[], options: PacketModelOptions): string[] {
  const last = (name: string): string | undefined =>
    layers
      .findLast(({ fields }) => fields.has(name))
      ?.fields.get(name)
      ?.at(-1);
  const { flow } = flowByTshark(layers, { nvgre: options.nvgre === true });
  const pairs: [ours: string, theirs: string | undefined][] = [[flowText(modelFlow(record)), flowText(flow)]];
  if (record.sourceMac !== '00:00:00:00:00:00') pairs.push([record.sourceMac, last('eth.src')]);
  if (record.network === NETWORK.arp) pairs.push([record.source, last('arp.src.proto_ipv4')]);
  return pairs.flatMap(([ours, theirs]) => (ours === theirs ? [] : [`${ours}, tshark ${theirs}`]));
}

/** Compares all that make a record, but where tshark cannot know. @returns how many were compared, and what differs */
function compare(
  combinations: readonly TunnelCombination[],
  options: PacketModelOptions,
): { compared: number; wrong: string[] } {
  const recorded = combinations.flatMap(({ name, packet }) => {
    const { record } = packet.model(options);
    return record && tsharkLimit(name) === undefined ? [{ name, packet, record }] : [];
  });
  const found = dissect(recorded.map(({ packet }) => packet));
  const wrong = recorded.flatMap(({ name, packet, record }, i) =>
    differences(record, found[i]!, options).map((line) => `${name} (${packet}): ${line}`),
  );
  return { compared: recorded.length, wrong };
}

test('the model says of every tunnel what tshark reads', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const usual = compare([...tunnelCombinations(), ...bareCombinations()], {});
  const optional = compare(optionalCombinations(), OPTIONAL);
  assert.deepEqual([...usual.wrong, ...optional.wrong].slice(0, 20), []);
  const compared = usual.compared + optional.compared;
  assert.ok(compared > 1400, `${compared} compared`);
  t.diagnostic(`${compared} compared`);
});

const CHECKSUMS = ['ip', 'tcp', 'udp', 'gre'].map((name) => `${name}.checksum.status`);
const CHECKING = ['ip', 'tcp', 'udp'].map((name) => `${name}.check_checksum:TRUE`);

test('tshark finds every checksum of a tunnel good', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const all = [...tunnelCombinations(), ...bareCombinations(), ...optionalCombinations()];
  const packets: Packet[] = all.map(({ packet }) => packet);
  const decoded = decodeFields(packets, CHECKSUMS, CHECKING);
  // What is none reads like GRE with a checksum.
  const isNone = (name: string, field: string): boolean =>
    field === 'gre.checksum.status' && /^something else to port 4754/.test(name);
  const wrong = all.flatMap(({ name }, i) =>
    CHECKSUMS.filter((field) => !isNone(name, field))
      .filter((field) => decoded[i]![field]!.some((status) => !/^[123]$/.test(status)))
      .map((field) => `${name}: ${field} ${decoded[i]![field]}`),
  );
  assert.deepEqual(wrong, []);
  for (const field of CHECKSUMS)
    assert.ok(
      decoded.some((each) => each[field]!.includes('1')),
      `verified some ${field}`,
    );
});
