/** Fills a store with a day of rows, by SQL: what goes in by epochs takes much longer, and is measured for itself. */
import { DuckDBInstance } from '@duckdb/node-api';
import { DuckDbStore } from '../src/store/index.ts';

/** The end of the day that is filled; a whole hour. */
export const END_MS: number = Date.UTC(2026, 10, 21);
export const DAY_MS = 86_400_000;
const INTERVAL_MS = 10_000;
const INTERVALS = DAY_MS / INTERVAL_MS;
/** Intervals that a flow lasts. */
const LIFE = 30;

/** Columns that totals add up. */
const SUMS: ReadonlySet<string> = new Set(['wire_octets', 'wire_packets', 'payload_octets']);

/** Makes the store, its raw rows and their totals. */
async function fill(path: string, rows: number): Promise<void> {
  await (await DuckDbStore.open({ path, intervalMs: INTERVAL_MS })).close();
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '2GB' });
  const connection = await instance.connect();
  const flows = Math.round(rows / INTERVALS);
  await connection.run("INSERT INTO agent VALUES (1, 'bench')");
  await connection.run("INSERT INTO point VALUES (1, 1, 2, 0, 'eth0', TRUE), (2, 1, 2, 1, 'eth0', TRUE)");
  await connection.run(`INSERT INTO epochs VALUES (1, 1, ${DAY_MS / 1000}, ${END_MS - DAY_MS}, ${END_MS})`);
  const columns = (await (await connection.run('DESCRIBE flow_raw')).getRows()).map(([name]) => String(name));
  const known: Readonly<Record<string, string>> = {
    period: 'period',
    point: '1 + (n % 2)',
    counted: 'TRUE',
    tunnel_kind: '1',
    tunnel_depth: '1',
    tunnel_id: '5000 + h % 12',
    outer_network: '1',
    outer_source_lo: '281473902968832 + (h >> 4) % 40',
    outer_destination_lo: '281473902968832 + (h >> 10) % 40',
    network: '1',
    protocol: 'CASE WHEN h % 8 = 0 THEN 17 ELSE 6 END',
    ethertype: '2048',
    source_lo: '281470849515520 + (h >> 16) % 500',
    destination_lo: '281470849581056 + (h >> 25) % 3000',
    source_port: '32768 + (h >> 37) % 28000',
    destination_port: '[443, 80, 53, 22, 8080, 5432][1 + (h % 6)::INTEGER]',
    octets: 'amount',
    wire_octets: 'amount',
    packets: '1 + amount // 1000',
    wire_packets: '1 + amount // 1000',
    payload_octets: 'amount - 60',
    first_seen: 'period + INTERVAL 1 MILLISECOND * (h % 1000)::INTEGER',
    last_seen: 'period + INTERVAL 1 MILLISECOND * (9000 + h % 1000)::INTEGER',
    tcp_flags: '24',
    outer_source_port: '49152 + (h >> 44) % 16384',
    shortest: '66',
    longest: '1514',
    source_mac: '2199023255552 + (h >> 4) % 40',
    destination_mac: '2199023255552 + (h >> 10) % 40',
  };
  const values = columns.map((name) => `${known[name] ?? '0'} AS ${name}`).join(', ');
  const begin = END_MS - DAY_MS;
  for (let interval = 0; interval < INTERVALS; interval += 60)
    await connection.run(
      `INSERT INTO flow_raw SELECT ${values} FROM (SELECT make_timestamp_ms(${begin} + ${INTERVAL_MS} * i) AS period, n, h, 100 + hash(h, i) % 60000 AS amount FROM (SELECT i, n, hash(n + ${flows} * ((i + n % ${LIFE}) // ${LIFE})) AS h FROM range(${interval}, ${interval + 60}) intervals(i), range(${flows}) flows(n))) ORDER BY period, tunnel_id, source_lo, destination_lo`,
    );
  const described = (await (await connection.run('DESCRIBE total_raw')).getRows()).map(([name]) =>
    String(name),
  );
  const totals = described.map((name) => (SUMS.has(name) ? `sum(${name})::UBIGINT` : name));
  await connection.run(
    `INSERT INTO total_raw SELECT ${totals.join(', ')} FROM flow_raw GROUP BY ALL ORDER BY period, tunnel_id`,
  );
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

const [path, rows] = process.argv.slice(2);
if (import.meta.main && path !== undefined) await fill(path, Number(rows));
