import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { batchOf } from '../flow/batch.fixture.ts';
import { formatAddress } from '../flow/index.ts';
import type { ExportFormat } from '../query/index.ts';
import { DuckDbStore } from './index.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const SPAN = { fromMs: NOON, toMs: NOON + 60_000 };
const { signal } = new AbortController();
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
let store: DuckDbStore;

before(async () => {
  store = await DuckDbStore.open({ path: join(directory, 'history.duckdb') });
  await store.commit([
    batchOf(
      [
        {
          tunnel: ['192.0.2.1', '2001:db8::2', 5001],
          between: ['10.0.0.1', '10.0.0.2'],
          ports: [1000, 80],
          protocol: 6,
          vlan: 7,
          macs: ['02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff'],
          octets: 1500,
          packets: 2,
        },
        { between: ['fd00::1', 'fd00:0:0:1::2'], octets: 100, packets: 1, direction: 1 },
        { macs: ['02:00:00:00:00:01', '01:80:c2:00:00:0e'], octets: 60, packets: 1 },
      ],
      { startMs: NOON },
    ),
  ]);
});
after(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

async function exported(format: ExportFormat, filter?: string): Promise<string> {
  const path = join(directory, `it's.${format}`);
  const { rows, covered } = await store.copyTo(
    { ...SPAN, ...(filter && { filter }) },
    { format, path },
    { signal },
  );
  assert.equal(rows, filter ? 1 : 3);
  assert.deepEqual(covered, { fromMs: NOON, toMs: NOON + 1000, level: 'raw' });
  return path;
}

describe('an export', () => {
  it('has rows that people can read, in each format', async () => {
    const lines = readFileSync(await exported('json'), 'utf8')
      .trim()
      .split('\n');
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const tunnelled = rows.find(({ tunnel_depth }) => tunnel_depth === 1)!;
    assert.equal(tunnelled.tunnel, 'vxlan');
    assert.equal(tunnelled.tunnel_id, 5001);
    assert.equal(tunnelled.outer_source, '192.0.2.1');
    assert.equal(tunnelled.source, '10.0.0.1');
    assert.equal(tunnelled.destination_port, 80);
    assert.equal(tunnelled.vlan, 7);
    assert.equal(tunnelled.wire_octets, 1500);
    assert.equal(tunnelled.interface, 'eth0');
    assert.equal(tunnelled.source_mac, '02:00:00:00:00:01');
    assert.equal(tunnelled.period, '2026-11-21 12:00:00');
    assert.equal(rows.find(({ network }) => network === 'ipv6')?.destination, 'fd00:0:0:1::2');
    assert.equal(rows.find(({ network }) => network === 'none')?.source, null);

    const csv = readFileSync(await exported('csv', 'vni 5001'), 'utf8')
      .trim()
      .split('\n');
    assert.equal(csv.length, 2);
    assert.match(csv[0]!, /^period,interface,direction,counted,/);
    assert.match(csv[1]!, /^2026-11-21 12:00:00,eth0,ingress,true,1,vxlan,5001,/);

    const instance = await DuckDBInstance.create(':memory:');
    const reader = await instance.connect();
    const parquet = (await exported('parquet')).replaceAll("'", "''");
    const sums = await (
      await reader.run(`SELECT sum(wire_octets)::INTEGER, count(DISTINCT source)::INTEGER FROM '${parquet}'`)
    ).getRows();
    assert.deepEqual(sums, [[1660, 2]]);
    reader.closeSync();
    instance.closeSync();
    assert.deepEqual(
      readdirSync(directory).filter((name) => /\.export|\.tmp/.test(name)),
      [],
    );
  });

  it('says which file it cannot write', async () => {
    const path = join(directory, 'missing', 'rows.csv');
    await assert.rejects(store.copyTo(SPAN, { format: 'csv', path }, { signal }), (error) => {
      assert.equal((error as { code?: string }).code, 'STORE_NOT_A_FILE');
      return String(error).includes(path);
    });
  });

  it('has the columns that the document names, and its SQL runs', async () => {
    const document = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8');
    const statements = [...document.matchAll(/^ {4}(SELECT .*(?:\n {4}.*)*)/gm)].map(([, sql]) => sql!);
    assert.ok(statements.length > 0);
    for (const sql of statements) await store.query(sql, { signal });
    const { columns } = await store.query('FROM flows LIMIT 0', { signal });
    for (const { name } of columns) {
      const isListed = document.includes(`\`${name}\``) || /^tunnel[2-4](_id)?$/.test(name);
      assert.ok(isListed, name);
    }
  });

  it('writes addresses as everything else here does', async () => {
    const octets = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .chain((all) =>
        fc
          .constantFrom(0, 2, 4, 10)
          .map((zeros) => Uint8Array.from(all, (octet, i) => (i % 12 < zeros ? 0 : octet))),
      );
    const v4 = fc
      .uint8Array({ minLength: 4, maxLength: 4 })
      .map((last) => Uint8Array.from([...Array(10).fill(0), 255, 255, ...last]));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(octets, v4), { minLength: 1, maxLength: 40 }), async (addresses) => {
        const calls = addresses.map((each) => {
          const view = new DataView(each.buffer, each.byteOffset);
          return `address_text(${view.getBigUint64(0)}::UBIGINT, ${view.getBigUint64(8)}::UBIGINT)`;
        });
        const { rows } = await store.query(`SELECT ${calls.join(', ')}`, { signal });
        assert.deepEqual(
          rows[0],
          addresses.map((each) => formatAddress(each)),
        );
      }),
      { numRuns: 20 },
    );
  });
});
