import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type DecodedRecord, decodeRecord, type FlowBatch, type Named, TUNNEL } from '../src/flow/index.ts';
import { LiveView } from '../src/live/index.ts';
import { anyBatch } from '../src/query/filter/filter.fixture.ts';
import {
  HistoryQuestionSchema,
  LIVE_DIMENSIONS,
  type LiveDimension,
  type LiveQuestion,
  LiveQuestionSchema,
  QUANTITIES,
  type ResultTable,
} from '../src/query/index.ts';
import { anyLiveFilter } from '../src/query/question/question.fixture.ts';
import { DuckDbStore } from '../src/store/index.ts';

/* Now and then have one language: of the same epochs the live view gives the table that a store gives. */

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-live-'));
after(() => rmSync(directory, { recursive: true }));

const { signal } = new AbortController();
/** Epochs of one period of the store: in each of them what counts of a uniflow is chosen anew. */
const BEGIN_MS = Date.UTC(2026, 10, 22, 0, 0, 0);
const EPOCHS = 10;
const END_MS = BEGIN_MS + EPOCHS * 1000;

/** Each record has a packet: of a flow without any nothing is kept. */
function epochs(): FlowBatch[] {
  return fc.sample(anyBatch, { numRuns: EPOCHS, seed: 20_261_122 }).map((batch, i) => {
    for (let row = 0; row < batch.length; row++)
      if (batch.columns.wirePackets[row] === 0n) batch.columns.wirePackets[row] = 1n;
    const startMs = BEGIN_MS + i * 1000;
    const ledger = batch.points.map(({ ifindex, direction }) => ({
      ifindex,
      direction,
      reason: i % 2 === 0 ? 'ipv4_truncated' : 'excluded',
      level: i % 3,
      packets: 2n,
      octets: 120n,
      ...(i % 2 === 1 && { wire: { packets: 4n, octets: 200n } }),
    }));
    return { ...batch, ledger, agent: 'agent', epoch: i + 1, startMs, endMs: startMs + 1000 };
  });
}

const KINDS = [TUNNEL.vxlan, TUNNEL.geneve, TUNNEL.gre, TUNNEL.mpls] as const;

/** The same at one point, in which a flow keeps its outer source port, and all times differ. */
function plainEpochs(): FlowBatch[] {
  return epochs().map((batch) => {
    const { columns } = batch;
    for (let row = 0; row < batch.length; row++) {
      columns.ifindex[row] = 2;
      columns.direction[row] = 0;
      columns.firstMs[row] = batch.startMs + row;
      columns.lastMs[row] = batch.startMs + 100 + 7 * row;
      if (columns.tunnelKind[row] === 0) columns.outerSourcePort[row] = 0;
      else {
        // Few tunnels, each of several flows.
        columns.tunnelKind[row] = KINDS[columns.tunnelKind[row]! % KINDS.length]!;
        columns.tunnelId[row]! %= 2;
        columns.outerSourcePort[row] = columns.protocol[row] === 17 ? 0 : 50_000 + columns.protocol[row]!;
      }
    }
    return batch;
  });
}

/** The same epochs now and then. */
class Both {
  readonly live = new LiveView();
  readonly #store: DuckDbStore;

  private constructor(store: DuckDbStore) {
    this.#store = store;
  }

  static async of(name: string, batches: readonly FlowBatch[], intervalMs = 10_000): Promise<Both> {
    const path = join(directory, `${name}.duckdb`);
    const both = new Both(await DuckDbStore.open({ path, intervalMs, clock: () => END_MS }));
    for (const batch of batches) both.live.write(batch);
    const periods = Map.groupBy(batches, ({ startMs }) => Math.floor(startMs / intervalMs));
    for (const each of periods.values()) await both.#store.commit(each);
    return both;
  }

  /** What both say to the same question. @param past what only one about the past has */
  async ask(own: object, past: object = {}): Promise<readonly [now: ResultTable, then: ResultTable]> {
    const asked = JSON.parse(JSON.stringify(own)) as object;
    const now: LiveQuestion = LiveQuestionSchema.parse({ ...asked, window: 'all' });
    const then = HistoryQuestionSchema.parse({ ...asked, ...past, fromMs: BEGIN_MS, toMs: END_MS });
    return [this.live.table(now), await this.#store.answer(then, { signal })];
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

let many: Both;
let plain: Both;
let fine: Both;

before(async () => {
  many = await Both.of('many', epochs());
  plain = await Both.of('plain', plainEpochs());
  fine = await Both.of('fine', epochs(), 1000);
});
after(() => Promise.all([many, plain, fine].map((each) => each.close())));

const dimensions = (minLength: number, maxLength: number): fc.Arbitrary<LiveDimension[]> =>
  fc.uniqueArray(fc.constantFrom(...LIVE_DIMENSIONS), { minLength, maxLength });
const common = fc.record(
  {
    limit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(10_000)),
    quantity: fc.constantFrom(...QUANTITIES),
    filter: fc.option(anyLiveFilter, { nil: undefined, freq: 2 }),
  },
  { requiredKeys: ['limit', 'quantity'] },
);
const RUNS = { numRuns: 25 } as const;

/** All but the level and the time it took. */
function assertSame([now, then]: readonly [now: ResultTable, then: ResultTable]): void {
  const { covered, tookMs: _, ...rest } = then;
  assert.deepEqual({ ...now, tookMs: 0 }, { ...rest, covered: { ...covered, level: 'live' }, tookMs: 0 });
}

test('the largest groups, the matrix and the values are those of a store, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(common, dimensions(2, 6), async (words, by) => {
      assertSame(await many.ask({ ...words, ask: 'top', by }));
      assertSame(await many.ask({ ...words, ask: 'matrix', by: by.slice(0, 2) }));
      assertSame(await many.ask({ ...words, ask: 'distinct', of: by[0] }));
    }),
    RUNS,
  );
});

/** Rows in an order of their own: of equally large flows a store sorts by what tells them apart. */
function sorted({ rows }: ResultTable): string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

test('single flows are those of a store with all that is known of them', async () => {
  await fc.assert(
    fc.asyncProperty(common, async (words) => {
      const [now, then] = await plain.ask({ ...words, ask: 'flows' });
      const at = now.columns.findIndex(
        ({ name }) => name === (words.quantity === 'flows' ? 'octets' : words.quantity),
      );
      const sizes = ({ rows }: ResultTable) => rows.map((row) => row[at]);
      assert.deepEqual(sizes(now), sizes(then));
      if (!now.isCut) assert.deepEqual(sorted(now), sorted(then));
      assertSame([
        { ...now, rows: [] },
        { ...then, rows: [] },
      ]);
    }),
    RUNS,
  );
});

test('flows that several points saw count once, and have the values of a store', async () => {
  const [now, then] = await many.ask({ ask: 'flows', limit: 10_000 });
  const known = now.columns.findIndex(({ name }) => name === 'first');
  const [a, b] = [now, then].map(({ rows }) => rows.map((row) => JSON.stringify(row.slice(0, known))));
  assert.ok(a!.length > 20);
  assert.deepEqual(a!.toSorted(), b!.toSorted());
});

test('a series has the steps of a store, by segment, by tunnel, and altogether', async () => {
  for (const by of [[], ['segment'], ['tunnel']])
    for (const quantity of ['octets', 'packets'])
      for (const limit of [1, 3, 50]) {
        const asked = { ask: 'series', by, quantity, limit };
        const [now, then] = await fine.ask(asked, { stepMs: 1000 });
        assert.ok(now.rows.length >= EPOCHS, JSON.stringify(asked));
        assert.equal(new Set(now.ledgerSteps?.map(({ fromMs }) => fromMs)).size, EPOCHS);
        assertSame([now, then]);
      }
});

/** Octets of headers, after the documents of each kind: what the test's packets are taken to have in front. */
const CARRIERS: Readonly<Record<string, number>> = { none: 14, ipv4: 34, ipv6: 54 };

interface NaiveTunnel {
  octets: number;
  packets: number;
  headers: number;
  longest: number;
  fragments: number;
  firstMs: number;
  lastMs: number;
  readonly flows: Map<string, number>;
  readonly ports: Map<number, number>;
}

/** By segment and ends: every record is gone through. */
function naiveTunnels(batches: readonly FlowBatch[]): Map<string, NaiveTunnel> {
  const tunnels = new Map<string, NaiveTunnel>();
  for (const { columns, length } of batches)
    for (let row = 0; row < length; row++) {
      const record = decodeRecord(columns, row);
      const [outermost] = record.tunnels as readonly Named[];
      if (!outermost) continue;
      const segment = `${outermost.kind}:${columns.tunnelId[row]}`;
      const name = JSON.stringify([segment, record.outerSource, record.outerDestination]);
      const tunnel: NaiveTunnel = tunnels.get(name) ?? {
        ...{ octets: 0, packets: 0, headers: 0, longest: 0, fragments: 0 },
        ...{ firstMs: Number.POSITIVE_INFINITY, lastMs: 0, flows: new Map(), ports: new Map() },
      };
      tunnels.set(name, tunnel);
      const octets = Number(columns.wireOctets[row]);
      const packets = Number(columns.wirePackets[row]);
      const port = columns.outerSourcePort[row]!;
      const tags = [columns.vlan[row]!, columns.secondVlan[row]!].filter((tag) => tag >= 0x8000).length;
      const own = OWN_OCTETS[outermost.kind]!;
      const header =
        CARRIERS[record.outerNetwork as string]! +
        4 * tags +
        (port !== 0 || own.udp ? 8 : 0) +
        own.octets +
        (own.key && columns.tunnelId[row] !== 0 ? 4 : 0);
      const uniflow = JSON.stringify(UNIFLOW_MEMBERS.map((member) => record[member]));
      tunnel.octets += octets;
      tunnel.packets += packets;
      tunnel.headers += packets * header;
      tunnel.longest = Math.max(tunnel.longest, columns.longest[row]! - header);
      if (record.fragment !== 'whole') tunnel.fragments += packets;
      tunnel.firstMs = Math.min(tunnel.firstMs, columns.firstMs[row]!);
      tunnel.lastMs = Math.max(tunnel.lastMs, columns.lastMs[row]!);
      tunnel.flows.set(uniflow, (tunnel.flows.get(uniflow) ?? 0) + octets);
      if (port !== 0) tunnel.ports.set(port, (tunnel.ports.get(port) ?? 0) + octets);
    }
  return tunnels;
}

/** Own headers of the kinds that have any, and which are in UDP or have a key. */
const OWN_OCTETS: Readonly<
  Record<string, { readonly octets: number; readonly udp?: true; readonly key?: true }>
> = {
  vxlan: { octets: 8, udp: true },
  'vxlan-gpe': { octets: 8, udp: true },
  nsh: { octets: 8 },
  geneve: { octets: 8, udp: true },
  gre: { octets: 4, key: true },
  gretap: { octets: 4, key: true },
  nvgre: { octets: 8 },
  'erspan-1': { octets: 4 },
  'erspan-2': { octets: 16 },
  'erspan-3': { octets: 20 },
  ipip: { octets: 0 },
  sit: { octets: 0 },
  ip4ip6: { octets: 0 },
  ip6ip6: { octets: 0 },
  srv6: { octets: 24 },
  'gtp-u': { octets: 8, udp: true },
  mpls: { octets: 4 },
  l2tp: { octets: 6, udp: true },
  l2tpv3: { octets: 4 },
  etherip: { octets: 2 },
  eoip: { octets: 8 },
  pptp: { octets: 8 },
  teredo: { octets: 0, udp: true },
  pppoe: { octets: 8 },
  lisp: { octets: 8, udp: true },
  ayiya: { octets: 8, udp: true },
};

const UNIFLOW_MEMBERS = [
  ...['tunnels', 'mark', 'outerNetwork', 'outerSource', 'outerDestination', 'network', 'source'],
  ...['destination', 'protocol', 'sourcePort', 'destinationPort', 'icmpTypeCode', 'ethertype', 'vlan'],
  ...['secondVlan', 'innerVlan', 'innerSecondVlan', 'cast', 'fragment', 'remark'],
] as readonly (keyof DecodedRecord)[];

/** −Σ p log₂ p. */
function entropy(parts: Iterable<number>): number {
  const all = [...parts];
  const total = all.reduce((sum, part) => sum + part, 0);
  return all
    .filter((part) => part > 0)
    .reduce((bits, part) => bits - (part / total) * Math.log2(part / total), 0);
}

function assertNear(actual: unknown, expected: number | null, what: string): void {
  if (expected === null) assert.equal(actual, null, what);
  else assert.ok(Math.abs(Number(actual) - expected) < 1e-6, `${what}: ${actual}, not ${expected}`);
}

test('tunnels have the sums, lengths and entropy of a list of records, now and then', async () => {
  const naive = naiveTunnels(plainEpochs());
  assert.ok(naive.size > 8 && [...naive.values()].some(({ ports }) => ports.size > 1));
  for (const quantity of ['octets', 'packets', 'flows'])
    for (const table of await plain.ask({ ask: 'tunnels', quantity })) {
      const cell = (row: ResultTable['rows'][number], name: string) =>
        row[table.columns.findIndex((column) => column.name === name)];
      assert.equal(table.rows.length, naive.size);
      for (const row of table.rows) {
        const name = JSON.stringify(row.slice(0, 3));
        const tunnel = naive.get(name);
        assert.ok(tunnel, name);
        const hasPorts = tunnel.ports.size > 0;
        assert.deepEqual(
          ['octets', 'packets', 'flows', 'longest', 'fragments', 'ports', 'first', 'last'].map((each) =>
            cell(row, each),
          ),
          [
            tunnel.octets,
            tunnel.packets,
            tunnel.flows.size,
            tunnel.longest,
            tunnel.fragments,
            hasPorts ? tunnel.ports.size : null,
            tunnel.firstMs,
            tunnel.lastMs,
          ],
          name,
        );
        assertNear(
          cell(row, 'overhead'),
          tunnel.octets > 0 ? Math.min(1, tunnel.headers / tunnel.octets) : 0,
          'overhead',
        );
        assertNear(cell(row, 'entropy'), hasPorts ? entropy(tunnel.ports.values()) : null, 'entropy');
        assertNear(
          cell(row, 'entropy.possible'),
          hasPorts ? entropy(tunnel.flows.values()) : null,
          'possible entropy',
        );
      }
      const sizes = table.rows.map((row) => Number(cell(row, quantity)));
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => b - a),
      );
    }
});

test('of tunnels of both the same are the largest, also behind a filter', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('octets', 'packets', 'flows'),
      fc.integer({ min: 1, max: 20 }),
      fc.option(anyLiveFilter, { nil: undefined }),
      async (quantity, limit, filter) => {
        const asked = { ask: 'tunnels', quantity, limit, ...(filter !== undefined && { filter }) };
        const [now, then] = await plain.ask(asked);
        const rounded = (table: ResultTable): ResultTable => ({
          ...table,
          rows: table.rows.map((row) =>
            row.map((cell) => (typeof cell === 'number' ? Number(cell.toPrecision(9)) : cell)),
          ),
        });
        assertSame([rounded(now), rounded(then)]);
      },
    ),
    RUNS,
  );
});
