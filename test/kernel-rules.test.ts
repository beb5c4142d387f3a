/** Rules in the kernel: what they keep of packets of every kind, against the same filters over records. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type DecodedRecord, decodeRecord, FIELDS, type FieldName, type Named } from '../src/flow/index.ts';
import type { RetiredEpoch } from '../src/meter/index.ts';
import { ruleLines } from '../src/meter/rule-lines.ts';
import {
  anyOf,
  classify,
  compileFilter,
  type Filter,
  type FilterField,
  fieldDefinition,
  namesOf,
  parseRuleText,
} from '../src/query/index.ts';
import { packet } from '../src/wire/index.ts';
import { combinations } from './combinations.ts';
import { mutatedFrames, randomBits } from './mutation.ts';
import { scaled } from './scale.ts';
import { isCutInIp, Trial } from './trial.ts';

/** Repeat a run with SEED=…, which a failure says. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
const random = randomBits(seed);
const trial = new Trial();
after(() => trial[Symbol.dispose]());

const KEYS = (Object.keys(FIELDS) as FieldName[]).filter((name) => FIELDS[name].key);

/** Every interface that a packet of these tests is given. */
const INTERFACES = [{ ifindex: 1, interfaceName: 'lo', primary: true }].flatMap((each) =>
  ([0, 1] as const).map((direction) => ({ ...each, direction })),
);

/** Packets of every kind, some with octets nobody planned. */
const FRAMES = (() => {
  const built = combinations()
    .filter((_, i) => i % 9 === 0)
    .map(({ packet }) => packet.build());
  const next = mutatedFrames(random, built);
  return [...built, ...Array.from({ length: built.length }, next)].filter((frame) => !isCutInIp(frame));
})();

/** An epoch of all the packets, each once in a direction that it always has. */
async function epochOfAll(): Promise<RetiredEpoch> {
  for (const [i, frame] of FRAMES.entries()) trial.run(frame, undefined, { egress: i % 3 === 0 });
  return trial.drain();
}

/** Rules from the next epoch on. The epoch that ends is empty. */
async function rule(filters: readonly Filter[]): Promise<void> {
  const classifier = filters.length === 0 ? undefined : classify(filters, INTERFACES);
  const ruling = trial.meter.setRules(classifier && ruleLines(classifier));
  await trial.drain();
  await ruling;
}

function keyOf({ columns }: RetiredEpoch, row: number): string {
  return KEYS.map((name) => {
    const size = { 128: 16, 48: 6 }[FIELDS[name].bits as number];
    return size ? columns[name].slice(size * row, size * row + size).join('.') : String(columns[name][row]);
  }).join(' ');
}

function pick<Item>(from: readonly Item[]): Item {
  return from[random() % from.length]!;
}

/** A condition that the record fits, or nearly. */
function conditionOf(record: DecodedRecord): string {
  const tunnels = record.tunnels as readonly Named[];
  const mark = record.mark as Named | null;
  const ids = tunnels.flatMap(({ id }) => id ?? []);
  const icmp = record.icmpTypeCode as { type: number; code: number } | null;
  const address = (field: string, value: unknown): string[] => {
    if (typeof value !== 'string') return [];
    const most = value.includes(':') ? 128 : 32;
    return [`${field} = ${value}`, `${field} in [${value}/${random() % (most + 1)}, ${value}/${most - 4}]`];
  };
  const number = (field: FilterField, value: unknown): string[] => {
    if (typeof value !== 'number') return [];
    const { type } = fieldDefinition(field);
    const most = type.kind === 'number' ? type.max : value;
    return [
      `${field} = ${value}`,
      `${field} >= ${value}`,
      `${field} in [${value}, ${Math.floor(value / 2)}-${Math.min(most, value + 7)}]`,
    ];
  };
  const word = (field: string, value: unknown): string[] => (value ? [`${field} = ${value}`] : []);
  const remarks = record.remark as readonly string[];
  const side = tunnels.length > 0 && random() & 1 ? ('inner.' as const) : '';
  return pick([
    ...address(`${side}${pick(['src', 'host'])}`, record.source),
    ...address(`${side}${pick(['dst', 'host'])}`, record.destination),
    ...address(pick(['outer.src', 'outer.host']), record.outerSource),
    ...address('outer.dst', record.outerDestination),
    ...number(`${side}${pick(['sport', 'port'] as const)}`, record.sourcePort),
    ...number(`${side}dport`, record.destinationPort),
    ...number(`${side}proto`, record.protocol),
    ...tunnels.flatMap(({ kind }) => word('tunnel', kind)),
    ...ids.flatMap((id) => number('vni', id)),
    ...number('depth', tunnels.length),
    ...number('vlan', record.vlan),
    ...(tunnels.length > 0 ? ['inner.vlan = none'] : []),
    ...number('inner.vlan', record.innerVlan),
    ...word('network', record.network),
    ...word('outer.network', record.outerNetwork),
    ...word('mark', mark?.kind ?? 'none'),
    ...(mark ? number('mark.id', mark.id) : []),
    ...(icmp ? [`icmp.type = ${icmp.type}`, `icmp.code = ${icmp.code}`] : []),
    ...number('ethertype', record.ethertype),
    ...remarks.map((name) => `remark = ${name}`),
    `fragment = ${record.fragment}`,
    `cast = ${record.cast}`,
    `direction = ${record.direction}`,
    `iface = ${pick(['lo', 'l*', 'eth0'])}`,
    `proto = ${pick([...namesOf(fieldDefinition('proto').type)!.keys()])}`,
  ]);
}

/** A rule of some conditions, or of five fields. */
function ruleOf(records: readonly DecodedRecord[]): string {
  const record = pick(records);
  if (random() % 4 === 0) {
    const field = (value: unknown): string =>
      value === null || random() & 1 ? '-' : `${random() % 5 ? '' : '!'}[${value}, ${value}]`;
    const ports = [record.sourcePort, record.destinationPort, record.protocol];
    return [field(record.source), field(record.destination), ...ports.map(field)].join(' ');
  }
  const conditions = Array.from({ length: 1 + (random() % 4) }, () => {
    const condition = conditionOf(random() % 3 ? record : pick(records));
    return random() % 4 ? condition : `not ${condition}`;
  });
  return conditions.reduce((text, each) => (random() % 3 ? `(${text}) and ${each}` : `(${text}) or ${each}`));
}

describe(`rules in the kernel (SEED=${seed})`, () => {
  it('keep what the same filters choose of the records, packet by packet, and count the rest', async (t) => {
    await rule([]);
    await epochOfAll(); // first pieces of fragments are known from now on
    const all = await epochOfAll();
    const records = Array.from({ length: all.length }, (_, row) => decodeRecord(all.columns, row));
    let [kept, excluded] = [0, 0];
    for (let round = 0; round < scaled(60, 5); round++) {
      const texts = Array.from({ length: 1 + (random() % 12) }, () => ruleOf(records));
      const filters = texts.map(parseRuleText);
      await rule(filters);
      const epoch = await epochOfAll();
      const test = compileFilter(anyOf(filters), INTERFACES);
      const expected = new Set<string>();
      let octets = 0n;
      for (let row = 0; row < all.length; row++) {
        if (test(all.columns, row)) expected.add(keyOf(all, row));
        else octets += all.columns.octets[row]!;
      }
      const found = new Set(Array.from({ length: epoch.length }, (_, row) => keyOf(epoch, row)));
      const why = `SEED=${seed} ${JSON.stringify(texts)}`;
      assert.deepEqual([...found.difference(expected)].slice(0, 3), [], `kept too many: ${why}`);
      assert.deepEqual([...expected.difference(found)].slice(0, 3), [], `kept too few: ${why}`);
      const lines = epoch.ledger.filter(({ reason }) => reason === 'excluded');
      assert.equal(
        lines.reduce((sum, line) => sum + line.octets, 0n),
        octets,
        why,
      );
      kept += expected.size;
      excluded += all.length - expected.size;
    }
    t.diagnostic(`${FRAMES.length} packets; ${kept} flows kept, ${excluded} excluded`);
    assert.ok(kept > 1000 && excluded > 1000, `${kept} kept, ${excluded} excluded`);
  });

  it('are compared ten thousand at once', async () => {
    const texts = Array.from({ length: 10_000 }, () => {
      const host = (): string => `10.0.${random() % 8}.${random() % 64}`;
      const source = random() % 4 ? host() : random() % 2 ? `${host()}/${16 + (random() % 12)}` : '-';
      const destination = random() % 3 ? host() : `fd00::${(random() % 64).toString(16)}`;
      const low = random() % 3000;
      const port = random() % 2 ? String(random() % 4000) : `${low}-${low + (random() % 200)}`;
      return `${source} ${destination} - ${port} ${pick(['TCP', 'UDP', '-', '!TCP'])}`;
    });
    const filters = texts.map(parseRuleText);
    await rule(filters);
    const frames = Array.from({ length: scaled(400, 100) }, () => {
      const port = { sourcePort: 7, destinationPort: random() % 3000 };
      const ends =
        random() % 4
          ? packet()
              .eth()
              .ipv4({
                source: `10.0.${random() % 2}.${random() % 64}`,
                destination: `10.0.${random() % 2}.${random() % 64}`,
              })
          : packet()
              .eth()
              .ipv6({ source: 'fd00::1', destination: `fd00::${(random() % 64).toString(16)}` });
      return (random() % 2 ? ends.tcp(port) : ends.udp(port)).build();
    });
    for (const frame of frames) trial.run(frame, undefined);
    const kept = await trial.drain();
    await rule([]);
    for (const frame of frames) trial.run(frame, undefined);
    const all = await trial.drain();
    const test = compileFilter(anyOf(filters), INTERFACES);
    const expected = Array.from({ length: all.length }, (_, row) => row).filter((row) =>
      test(all.columns, row),
    );
    assert.ok(expected.length > 0 && expected.length < all.length, `${expected.length} of ${all.length}`);
    assert.deepEqual(
      new Set(Array.from({ length: kept.length }, (_, row) => keyOf(kept, row))),
      new Set(expected.map((row) => keyOf(all, row))),
    );
  });

  it('keep everything where one of them is everything, wherever it stands (BUG-D14)', async () => {
    const frame = packet().eth().ipv4().tcp({ destinationPort: 80 }).build();
    const others = ['10.0.0.9 - - - TCP', '- - - 81 -'];
    for (const place of [0, 1, 2]) {
      await rule(others.toSpliced(place, 0, '- - - - -').map(parseRuleText));
      trial.run(frame, undefined);
      const { length, ledger } = await trial.drain();
      assert.deepEqual([length, ledger], [1, []]);
    }
    await rule(others.map(parseRuleText));
    trial.run(frame, undefined);
    const { length, ledger } = await trial.drain();
    assert.deepEqual(
      [length, ledger.map(({ reason, packets }) => [reason, packets])],
      [0, [['excluded', 1n]]],
    );
  });
});
