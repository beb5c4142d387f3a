/** What the history takes to write, to keep and to ask. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { createColumns, type FlowBatch, NETWORK, TUNNEL } from '../src/flow/index.ts';
import { HistoryQuestionSchema, type HistoryQuestionText } from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum } from './figure.ts';
import { DAY_MS, END_MS } from './store-fill.ts';

const HOUR_MS = 3_600_000;
/** Uniflows of an epoch that is written. */
const FLOWS = 100_000;
const EPOCHS = 10;
const RETENTION = { rawMs: 30 * DAY_MS, minuteMs: 60 * DAY_MS, hourMs: 400 * DAY_MS };
const clock = (): number => END_MS + HOUR_MS;

export const store: Benchmark = {
  name: 'store',
  method:
    'A store with a day of rows of 10 s, every flow over VXLAN and five minutes long, 500 clients and 3,000 servers in 12 segments; the ' +
    'levels are made by the store itself. Questions as the API asks them, from the question to the rows of the answer; the floor is ' +
    'the same by hand: one SELECT on the same columns of the smallest table that tells it. Rounds of both alternate, with the file in the ' +
    'page cache; the figure is the best. Writing: ten epochs of 100,000 uniflows as one transaction, in time of a wall clock; the floor ' +
    'is the INSERT of the rows that come of it from a table in memory. DuckDB has 150 MB and two threads.',
  async run(options) {
    const directory = mkdtempSync(join(process.env.TMPDIR ?? '/var/tmp', 'tsbench-store-'));
    // Filling takes many minutes: where this says a directory the day is kept there, and used again.
    const kept = process.env.TSBENCH_STORE;
    try {
      return [
        ...(await writing(join(directory, 'writing.duckdb'), options)),
        ...(await asking(join(kept ?? directory, 'day.duckdb'), options)),
      ];
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

async function writing(path: string, { quick, progress }: BenchmarkOptions): Promise<Figure[]> {
  const history = await DuckDbStore.open({ path, retention: RETENTION, clock });
  const rounds = quick ? 3 : 12;
  const times: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const epochs = Array.from({ length: EPOCHS }, (_, nth) => crowd(round * EPOCHS + nth));
    const [began, before] = [performance.now(), process.cpuUsage()];
    await history.commit(epochs);
    times.push(performance.now() - began);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
    await history.settled();
    progress(`written ${round + 1} of ${rounds}: ${times.at(-1)!.toFixed(0)} ms`);
  }
  await history.close();
  const rows = rounds * FLOWS;
  const floor = await insertFloor(path, rounds);
  return [
    {
      name: 'writing 10 epochs of 100 k uniflows',
      unit: 'ms',
      figure: minimum(times),
      median: median(times),
      rounds,
      floor,
      ratio: minimum(times) / floor,
      target: { of: 'median', atMost: 10_000 },
      note: `they are of 10 s. Processor time ${median(cpu).toFixed(0)} ms (median). Floor: INSERT of the 100,000 rows that come of it`,
    },
    {
      name: 'room on disk, with minutes and hours',
      unit: 'octets/row',
      figure: statSync(path).size / rows,
      note: 'of a raw row',
    },
  ];
}

/** The same rows by one INSERT from memory. */
async function insertFloor(path: string, rounds: number): Promise<number> {
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(
    'CREATE TEMP TABLE one AS FROM flow_raw WHERE period = (SELECT max(period) FROM flow_raw)',
  );
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await connection.run('INSERT INTO flow_raw FROM one');
    times.push(performance.now() - began);
  }
  connection.closeSync();
  instance.closeSync();
  return minimum(times);
}

/** A question, what it is held to, and the same by hand. */
interface Asked {
  readonly name: string;
  readonly question: HistoryQuestionText;
  readonly mostMs?: number;
  readonly byHand: string;
}

const LAST_HOUR = { fromMs: END_MS - HOUR_MS, toMs: END_MS };
const DAY = { fromMs: END_MS - DAY_MS, toMs: END_MS };
const since = (ms: number): string => `period >= make_timestamp_ms(${ms}) AND counted`;
const SUMS = 'sum(wire_octets) AS octets, sum(wire_packets) AS packets';

const ASKED: readonly Asked[] = [
  {
    name: 'top 20 sources of the last hour, not on the hour',
    question: { ask: 'top', by: ['src'], fromMs: END_MS - HOUR_MS + 10_000, toMs: END_MS - 10_000 },
    mostMs: 300,
    byHand: `SELECT source_hi, source_lo, ${SUMS} FROM flow_minute WHERE ${since(LAST_HOUR.fromMs)} GROUP BY ALL ORDER BY octets DESC LIMIT 20`,
  },
  {
    name: 'top 20 flows of the last hour by addresses and ports',
    question: { ask: 'top', by: ['src', 'dst', 'sport', 'dport', 'proto'], ...LAST_HOUR },
    mostMs: 300,
    byHand: `SELECT source_hi, source_lo, destination_hi, destination_lo, source_port, destination_port, protocol, ${SUMS} FROM flow_minute WHERE ${since(LAST_HOUR.fromMs)} GROUP BY ALL ORDER BY octets DESC LIMIT 20`,
  },
  {
    name: 'series of 24 h, steps of 10 minutes',
    question: { ask: 'series', ...DAY },
    mostMs: 60,
    byHand: `SELECT time_bucket(INTERVAL 10 MINUTE, period) AS step, ${SUMS} FROM total_minute WHERE ${since(DAY.fromMs)} GROUP BY ALL ORDER BY step`,
  },
  {
    name: 'series of 24 h, steps of 10 minutes, inside one tunnel, by protocol',
    question: { ask: 'series', by: ['proto'], filter: 'tunnel = vxlan and vni = 5001', ...DAY },
    mostMs: 60,
    byHand: `SELECT time_bucket(INTERVAL 10 MINUTE, period) AS step, protocol, ${SUMS} FROM total_minute WHERE ${since(DAY.fromMs)} AND tunnel_kind = 1 AND tunnel_id = 5001 GROUP BY ALL ORDER BY step`,
  },
  {
    name: 'series of the last hour, steps of 10 s',
    question: { ask: 'series', stepMs: 10_000, ...LAST_HOUR },
    mostMs: 60,
    byHand: `SELECT period, ${SUMS} FROM total_raw WHERE ${since(LAST_HOUR.fromMs)} GROUP BY ALL ORDER BY period`,
  },
  {
    name: 'series of 24 h, steps of 10 minutes, of one port: from single flows',
    question: { ask: 'series', filter: 'dport 443', ...DAY },
    byHand: `SELECT time_bucket(INTERVAL 10 MINUTE, period) AS step, ${SUMS} FROM flow_minute WHERE ${since(DAY.fromMs)} AND destination_port = 443 GROUP BY ALL ORDER BY step`,
  },
  {
    name: 'series of 24 h, steps of an hour, ten largest segments',
    question: { ask: 'series', by: ['segment'], stepMs: HOUR_MS, ...DAY },
    mostMs: 200,
    byHand: `SELECT period, tunnel_kind, tunnel_id, ${SUMS} FROM total_hour WHERE ${since(DAY.fromMs)} GROUP BY ALL ORDER BY period`,
  },
  {
    name: 'chord matrix of the last hour',
    question: { ask: 'matrix', ...LAST_HOUR },
    mostMs: 300,
    byHand: `SELECT outer_source_hi, outer_source_lo, outer_destination_hi, outer_destination_lo, ${SUMS} FROM flow_minute WHERE ${since(LAST_HOUR.fromMs)} GROUP BY ALL ORDER BY octets DESC LIMIT 5000`,
  },
  {
    name: 'chord matrix of 24 h',
    question: { ask: 'matrix', ...DAY },
    mostMs: 300,
    byHand: `SELECT outer_source_hi, outer_source_lo, outer_destination_hi, outer_destination_lo, ${SUMS} FROM flow_hour WHERE ${since(DAY.fromMs)} GROUP BY ALL ORDER BY octets DESC LIMIT 5000`,
  },
  {
    name: 'one client’s peers of 24 h, by filter',
    question: { ask: 'top', by: ['dst'], filter: 'src 10.9.0.7 and port 443', ...DAY },
    byHand: `SELECT destination_hi, destination_lo, ${SUMS} FROM flow_hour WHERE ${since(DAY.fromMs)} AND source_hi = 0 AND source_lo = 281470849515527 AND destination_port = 443 GROUP BY ALL ORDER BY octets DESC LIMIT 20`,
  },
  {
    name: 'single flows of the last hour',
    question: { ask: 'flows', ...LAST_HOUR },
    byHand: `SELECT source_lo, destination_lo, source_port, destination_port, protocol, tunnel_id, min(first_seen), max(last_seen), ${SUMS} FROM flow_minute WHERE ${since(LAST_HOUR.fromMs)} GROUP BY ALL ORDER BY octets DESC LIMIT 100`,
  },
];

async function asking(path: string, { quick, progress }: BenchmarkOptions): Promise<Figure[]> {
  const joinedS = existsSync(path) ? undefined : await fillDay(path, quick ? 5e6 : 100e6, progress);
  const history = await DuckDbStore.open({ path, retention: RETENTION, clock });
  const counts = await history.query(
    'SELECT (SELECT count(*) FROM flow_raw), (SELECT count(*) FROM flow_minute), (SELECT count(*) FROM flow_hour), (SELECT count(*) FROM total_raw)',
    { signal: new AbortController().signal },
  );
  const [raw, minutes, hours, totals] = counts.rows[0] as [number, number, number, number];
  progress(`${raw} raw, ${minutes} minute, ${hours} hour rows, ${totals} raw totals`);
  const figures: Figure[] = [];
  const rounds = quick ? 3 : 7;
  const times = new Map<string, number[]>(ASKED.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const { name, question } of ASKED) {
      const asked = HistoryQuestionSchema.parse(question);
      const { tookMs } = await history.answer(asked, { signal: new AbortController().signal });
      // The first reads the file.
      if (round > 0) times.get(name)!.push(tookMs);
    }
  const resident = process.memoryUsage.rss();
  await history.close();
  const floors = await byHand(path, rounds);
  for (const { name, mostMs } of ASKED) {
    const own = times.get(name)!;
    const floor = floors.get(name)!;
    progress(`${name}: ${minimum(own).toFixed(0)} ms, by hand ${floor.toFixed(0)} ms`);
    figures.push({
      name,
      unit: 'ms',
      figure: minimum(own),
      median: median(own),
      rounds,
      floor,
      ratio: minimum(own) / floor,
      ...(mostMs !== undefined && { target: { of: 'median' as const, atMost: mostMs } }),
    });
  }
  figures.push(
    {
      name: 'room on disk, a day with minutes and hours',
      unit: 'octets/row',
      figure: statSync(path).size / raw,
      note: `${raw} raw rows, ${minutes} of minutes, ${hours} of hours, ${totals} raw totals`,
    },
    ...(joinedS === undefined
      ? []
      : [
          {
            name: 'joining a day to minutes and hours',
            unit: 's',
            figure: joinedS,
            note: 'all at once here',
          },
        ]),
    {
      name: 'resident memory while asking',
      unit: 'MB',
      figure: resident / 1e6,
      note: 'the whole process, Node included',
    },
  );
  return figures;
}

/** Fills a store with a day, and has it join its rows. @returns how long that took, s */
async function fillDay(path: string, rows: number, progress: (line: string) => void): Promise<number> {
  progress(`filling ${rows / 1e6} M rows`);
  execFileSync(process.execPath, [new URL('store-fill.ts', import.meta.url).pathname, path, String(rows)]);
  const history = await DuckDbStore.open({ path, retention: RETENTION, clock });
  progress('joining levels');
  const began = performance.now();
  // An epoch behind the day: all of it is complete then.
  await history.commit([{ ...crowd(1, 0), agent: 'after', startMs: END_MS, endMs: END_MS + 1000 }]);
  await history.settled();
  await history.close();
  return (performance.now() - began) / 1000;
}

async function byHand(path: string, rounds: number): Promise<Map<string, number>> {
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '150MB' });
  const connection = await instance.connect();
  const best = new Map<string, number>();
  for (let round = 0; round <= rounds; round++)
    for (const each of ASKED) {
      const began = performance.now();
      await (await connection.run(each.byHand)).getRows();
      const took = performance.now() - began;
      if (round > 0) best.set(each.name, Math.min(took, best.get(each.name) ?? took));
    }
  connection.closeSync();
  instance.closeSync();
  return best;
}

/** An epoch of many uniflows over VXLAN, the same ones each time with other counts. */
function crowd(epoch: number, flows = FLOWS): FlowBatch {
  const columns = createColumns(flows);
  const startMs = END_MS - DAY_MS + 1000 * epoch;
  const address = (column: Uint8Array, row: number, host: number): void => {
    column.set([255, 255, 10, (host >>> 16) & 255, (host >>> 8) & 255, host & 255], 16 * row + 10);
  };
  for (let row = 0; row < flows; row++) {
    const mixed = Math.imul(row + 1, 0x9e3779b1) >>> 0;
    const octets = BigInt(100 + ((mixed + 7919 * epoch) % 60_000));
    columns.ifindex[row] = 2;
    columns.direction[row] = row & 1;
    columns.tunnelKind[row] = TUNNEL.vxlan;
    columns.tunnelDepth[row] = 1;
    columns.tunnelId[row] = 5000 + (row % 12);
    columns.outerNetwork[row] = NETWORK.ipv4;
    columns.network[row] = NETWORK.ipv4;
    address(columns.outerSource, row, mixed % 40);
    address(columns.outerDestination, row, (mixed >>> 8) % 40);
    address(columns.source, row, mixed % 500);
    address(columns.destination, row, 65_536 + ((mixed >>> 10) % 3000));
    columns.protocol[row] = 6;
    columns.ethertype[row] = 0x0800;
    columns.sourcePort[row] = 32_768 + (row % 28_000);
    columns.destinationPort[row] = [443, 80, 53, 8080][row & 3]!;
    columns.octets[row] = columns.wireOctets[row] = octets;
    columns.packets[row] = columns.wirePackets[row] = 1n + octets / 1000n;
    columns.payloadOctets[row] = octets - 60n;
    columns.firstMs[row] = startMs + (mixed % 500);
    columns.lastMs[row] = startMs + 500 + (mixed % 500);
    columns.outerSourcePort[row] = 49_152 + (mixed % 16_384);
    columns.shortest[row] = 66;
    columns.longest[row] = 1514;
    columns.sourceMac[6 * row + 5] = mixed % 40;
    columns.destinationMac[6 * row + 5] = (mixed >>> 8) % 40;
  }
  const points = ([0, 1] as const).map((direction) => ({
    ifindex: 2,
    direction,
    interfaceName: 'eth0',
    primary: true,
  }));
  return {
    epoch: epoch + 1,
    agent: 'bench-writer',
    startMs,
    endMs: startMs + 1000,
    length: flows,
    columns,
    points,
    seen: [],
    ledger: [],
    counters: [],
  };
}
