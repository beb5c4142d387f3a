import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Name } from '../../query/index.ts';
import { Asker } from './asker.ts';
import { placeColumns } from './columns.ts';
import { tunnelListing } from './list-flows.ts';
import { addressesIn, KnownNames, type Naming, namedText, textAndNames } from './names.ts';
import { render } from './render.ts';
import type { TopSource } from './source.ts';
import { askedOf, beginning, TABS } from './state.ts';
import { partsOf } from './style.ts';
import { answersOf, liveOf, NOW_MS } from './top.fixture.ts';
import { widthOf } from './width.ts';

const label = (name: string, network?: string): Name => ({
  name,
  from: 'labels',
  ...(network !== undefined && { network }),
});
const NAMING: Naming = {
  address: (address) =>
    ({
      '192.168.0.1': label('web 1'),
      'fd00::1': label('far end'),
      '172.16.1.100': label('a hypervisor with a name that goes on and on 機械機械機械'),
      '172.16.1.101': label('office', '172.16.1.0/24'),
    })[address],
  segment: (id) => (id === 'vxlan:10000' ? label('tenant red') : undefined),
};

describe('names in top', () => {
  it('stand in place of addresses, with ports and in pairs, but not those of networks', () => {
    assert.equal(namedText('192.168.0.1', NAMING), 'web 1');
    assert.equal(namedText('192.168.0.1:443', NAMING), 'web 1:443');
    assert.equal(namedText('[fd00::1]:443', NAMING), 'far end:443');
    assert.equal(namedText('192.168.0.1 › 172.16.1.101', NAMING), 'web 1 › 172.16.1.101');
    assert.equal(namedText('*', NAMING), '*');
    assert.equal(textAndNames('172.16.1.101', NAMING), '172.16.1.101 (office)');
    assert.equal(textAndNames('10.0.0.9:80', NAMING), '10.0.0.9:80');
    assert.deepEqual(addressesIn('[fd00::1]:443 › 10.0.0.1'), ['fd00::1', '10.0.0.1']);
  });

  it('are asked for once, again when they may have changed, and are let be where nobody answers', () => {
    const names = new KnownNames();
    const sight = { addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.1'], segments: ['vxlan:1'] };
    const asked = names.due(sight, 0)!;
    assert.deepEqual(asked, { addresses: ['10.0.0.1', '10.0.0.2'], segments: ['vxlan:1'] });
    const answer = { addresses: { '10.0.0.1': label('x') }, segments: {}, pending: ['10.0.0.2'] };
    assert.equal(names.learn(asked, answer, 0), true);
    assert.equal(names.due(sight, 1000), undefined);
    assert.deepEqual(names.due(sight, 2000), { addresses: ['10.0.0.2'], segments: [] });
    assert.equal(names.learn(asked, answer, 2000), false, 'nothing is called otherwise');
    assert.equal(names.due(sight, 62_000)!.addresses.length, 2);
    names.fail(62_000);
    assert.equal(names.due(sight, 63_000), undefined);
    assert.equal(names.address('10.0.0.1')?.name, 'x', 'what was known stays');
  });

  it('take no column away and no line more, however long they are', () => {
    const state = { ...beginning({ columns: 80, rows: 24, tab: 'flows' }) };
    const answers = answersOf(state, liveOf(5));
    const ids = (naming: Naming | undefined): string[] =>
      placeColumns(answers.listing!, { from: 1, width: 78, ...(naming && { naming }) }).map(({ id }) => id);
    assert.deepEqual(ids(NAMING), ids(undefined));
    const named = render(state, { ...answers, naming: NAMING }, NOW_MS);
    const lines = Array.from({ length: 24 }, (_, row) => named.grid.line(row));
    assert.ok(
      lines.some((line) => line.includes('web 1:40000')),
      lines.join('\n'),
    );
    assert.ok(lines.every((line) => widthOf(line) <= 80));
    assert.ok(named.sight.named.addresses.includes('192.168.0.1'));
    const plain = render({ ...state, isNamed: false }, { ...answers, naming: NAMING }, NOW_MS);
    assert.ok(
      Array.from({ length: 24 }, (_, row) => plain.grid.line(row)).some((line) =>
        line.includes('192.168.0.1:40000'),
      ),
    );
  });

  it('leave the order of rows to addresses', () => {
    const state = { ...beginning({ columns: 120, rows: 24, tab: 'flows' }) };
    const sorts = { ...state.sorts, flows: { column: 'source', isReversed: false } };
    const answers = answersOf(state, liveOf(5));
    const keys = (naming: Naming | undefined): string[] =>
      render({ ...state, sorts }, naming ? { ...answers, naming } : answers, NOW_MS).sight.rows.map(
        ({ key }) => key,
      );
    assert.deepEqual(keys(NAMING), keys(undefined));
  });

  it('come while figures are shown, without anybody waiting for them', async () => {
    const live = liveOf(2);
    const told = Promise.withResolvers<void>();
    const asked: string[][] = [];
    const never = new Promise<never>(() => {});
    const source: TopSource = {
      name: 'this host',
      view: async (question) => live.view(question),
      audit: () => never,
      status: () => never,
      table: () => never,
      connections: () => never,
      names: async ({ addresses }) => {
        asked.push(addresses);
        return { addresses: { '10.0.0.1': label('web 1') }, segments: {}, pending: [] };
      },
    };
    const state = beginning({ columns: 80, rows: 24 });
    using asker = new Asker({
      source,
      asked: () => askedOf(state),
      isFrozen: () => false,
      changed: () => undefined,
      named: told.resolve,
    });
    const sight = { addresses: ['10.0.0.1'], segments: [] };
    await Promise.all([asker.name(sight), asker.name(sight), told.promise]);
    await asker.name(sight);
    assert.deepEqual(asked, [['10.0.0.1']]);
    assert.equal(asker.answers.naming.address('10.0.0.1')?.name, 'web 1');
  });
});

describe('what tunnels cost and suffer', () => {
  const table = (headroom: number) => ({
    columns: [
      { name: 'segment', kind: 'text' },
      { name: 'outer.src', kind: 'address' },
      { name: 'outer.dst', kind: 'address' },
      { name: 'octets', kind: 'octets' },
      { name: 'packets', kind: 'packets' },
      { name: 'mtu', kind: 'octets' },
      { name: 'headroom', kind: 'octets' },
      { name: 'loss', kind: 'share' },
      { name: 'lost', kind: 'packets' },
    ] as const,
    rows: [['vxlan:42', '10.79.0.1', '10.79.0.2', 1000, 10, 1500, headroom, 0.015, 3]],
    total: { octets: 1000, packets: 10 },
    isCut: false,
  });
  const lines = (headroom: number, isOpen = false): string[] => {
    const state = beginning({ columns: 80, rows: 24 });
    const listing = tunnelListing({ ...table(headroom), columns: [...table(headroom).columns] });
    const [row] = listing.rows;
    const at = { kind: 'row', key: row!.key, words: row!.words } as const;
    const levels = {
      ...state.levels,
      tunnels: [...state.levels.tunnels, { at, chosen: undefined, index: 0, first: 0 }],
    };
    const { grid } = render(
      isOpen ? { ...state, levels } : state,
      { ...answersOf(state, liveOf(1)), listing },
      NOW_MS,
    );
    return Array.from({ length: 24 }, (_, i) => grid.line(i).trimEnd());
  };

  it('stands in the list at 80 columns, with a sign where it does not fit', () => {
    assert.match(lines(50).join('\n'), /HEADROOM +LOSS/);
    assert.match(lines(50).join('\n'), / 50 B +1\.5 %/);
    assert.match(lines(-100).join('\n'), /▲ −100 B +1\.5 %/);
  });

  it('is told of a row to the octet, and what was lost as a count', () => {
    const facts = lines(-100, true).join('\n');
    assert.match(facts, / mtu {2}1 500\n/);
    assert.match(facts, / headroom {2}▲ −100 B\n/);
    assert.match(facts, / lost {2}3\n/);
  });
});

describe('the chosen row', () => {
  it('has its ground from edge to edge in every tab', () => {
    for (const tab of TABS) {
      const state = beginning({ columns: 80, rows: 24, tab });
      const { grid, sight } = render(state, answersOf(state, liveOf(3)), NOW_MS);
      const target = sight.targets.find(({ does }) => does.kind === 'row' && does.index === 0);
      if (tab === 'ledger' && !target) continue;
      const styles = grid.styles.subarray(80 * target!.row, 80 * (target!.row + 1));
      assert.ok(
        [...styles].every((style) => partsOf(style).ground === 'chosen'),
        tab,
      );
    }
  });
});
