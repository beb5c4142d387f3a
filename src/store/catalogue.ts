/** What the store knows by heart: agents, points, which epochs it has, how far the levels are. A copy of small tables. */
import type { ObservationPoint } from '../flow/index.ts';
import type { HistoryLevel } from '../query/index.ts';
import type { Connection } from './database.ts';
import type { StoredPoint } from './fold.ts';

/** Epochs `first` to `last` of an agent, metered without a gap. */
export interface EpochRun {
  readonly agent: number;
  readonly first: number;
  readonly last: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A point as it is stored. */
export interface PointRow extends StoredPoint {
  readonly agent: number;
  readonly ifindex: number;
  readonly interfaceName: string | undefined;
}

/** What of an agent's points an epoch says. */
export type PointWords = Pick<ObservationPoint, 'ifindex' | 'direction'> & {
  readonly interfaceName: string | undefined;
  readonly primary: boolean;
};

/** Names of numbers in the table meta that say how far a level is, and from where on it is kept. */
const MARKS = ['rolled_minute', 'rolled_hour', 'kept_raw', 'kept_minute', 'kept_hour'] as const;
type MarkName = (typeof MARKS)[number];
/** The first versions of the tables that have totals, what tunnels suffered, and what interfaces counted. */
const WITH_TOTALS = 2;
const WITH_TUNNELS = 3;
const WITH_AUDIT = 3;

/** Read anew after a transaction that failed; else changed along with the tables, by who changes them. */
export class Catalogue {
  readonly agents = new Map<string, number>();
  readonly points: PointRow[] = [];
  readonly #pointIds = new Map<string, StoredPoint>();
  runs: EpochRun[] = [];
  readonly #marks = new Map<MarkName | 'version', number>();

  static async read(connection: Connection): Promise<Catalogue> {
    const catalogue = new Catalogue();
    for (const [id, name] of await connection.rows('SELECT id, name FROM agent ORDER BY id'))
      catalogue.agents.set(String(name), Number(id));
    const points = 'SELECT id, agent, ifindex, direction, interface, is_primary FROM point ORDER BY id';
    for (const [id, agent, ifindex, direction, name, isPrimary] of await connection.rows(points))
      catalogue.#add({
        id: Number(id),
        agent: Number(agent),
        ifindex: Number(ifindex),
        direction: direction === 1 ? 1 : 0,
        interfaceName: name === null || name === undefined ? undefined : String(name),
        isPrimary: isPrimary === true,
      });
    const runs = 'SELECT agent, first, last, from_ms, to_ms FROM epochs ORDER BY agent, first';
    catalogue.runs = (await connection.rows(runs)).map((row) => {
      const [agent, first, last, fromMs, toMs] = row.map(Number) as [number, number, number, number, number];
      return { agent, first, last, fromMs, toMs };
    });
    for (const [name, value] of await connection.rows('SELECT name, value FROM meta'))
      catalogue.#marks.set(String(name) as MarkName, Number(value));
    return catalogue;
  }

  /** Everything before is joined to the next coarser level; undefined: nothing is. */
  rolledMs(level: Exclude<HistoryLevel, 'raw'>): number | undefined {
    return this.#marks.get(`rolled_${level}`);
  }

  /** Rows of the level before this are given up. */
  keptFromMs(level: HistoryLevel): number {
    return this.#marks.get(`kept_${level}`) ?? 0;
  }

  /** Whether there are totals beside the rows: not where an older store is only read. */
  get hasTotals(): boolean {
    return (this.#marks.get('version') ?? 0) >= WITH_TOTALS;
  }

  /** Whether it is known what tunnels suffered, and of links: not where an older store is only read. */
  get hasTunnels(): boolean {
    return (this.#marks.get('version') ?? 0) >= WITH_TUNNELS;
  }

  /** Whether there is what interfaces counted: not where an older store is only read. */
  get hasAudit(): boolean {
    return (this.#marks.get('version') ?? 0) >= WITH_AUDIT;
  }

  async setMark(connection: Connection, name: MarkName, value: number): Promise<void> {
    await connection.run(`DELETE FROM meta WHERE name = '${name}'`);
    await connection.run(`INSERT INTO meta VALUES ('${name}', ${Math.trunc(value)})`);
    this.#marks.set(name, value);
  }

  /** Number of an agent, written down when it is new. */
  async agent(connection: Connection, name: string): Promise<number> {
    const known = this.agents.get(name);
    if (known !== undefined) return known;
    const id = this.agents.size + 1;
    await connection.run('INSERT INTO agent VALUES ($1, $2)', [id, name]);
    this.agents.set(name, id);
    return id;
  }

  /** A point as it is stored, written down when it is new: another name or place in the host makes another point. */
  async point(connection: Connection, agent: number, words: PointWords): Promise<StoredPoint> {
    const known = this.#pointIds.get(pointKey(agent, words));
    if (known) return known;
    const { ifindex, direction, interfaceName, primary } = words;
    const row = { id: this.points.length + 1, agent, ifindex, direction, interfaceName, isPrimary: primary };
    await connection.run('INSERT INTO point VALUES ($1, $2, $3, $4, $5, $6)', [
      row.id,
      agent,
      ifindex,
      direction,
      interfaceName ?? null,
      primary,
    ]);
    this.#add(row);
    return row;
  }

  /** Whether an epoch is stored. */
  has(agent: number, epoch: number): boolean {
    return this.runs.some((run) => run.agent === agent && run.first <= epoch && epoch <= run.last);
  }

  /** Writes epochs down: at the end of a run they follow, or as a run of their own. */
  async addRun(connection: Connection, added: EpochRun): Promise<void> {
    const { agent, first, last, fromMs, toMs } = added;
    const at = this.runs.findIndex((run) => run.agent === agent && run.last === first - 1);
    const before = this.runs[at];
    if (before) {
      const joined = {
        ...before,
        last,
        fromMs: Math.min(before.fromMs, fromMs),
        toMs: Math.max(before.toMs, toMs),
      };
      await connection.run(
        `UPDATE epochs SET last = ${last}, from_ms = ${Math.trunc(joined.fromMs)}, to_ms = ${Math.ceil(joined.toMs)} WHERE agent = ${agent} AND first = ${before.first}`,
      );
      this.runs[at] = joined;
      return;
    }
    await connection.run('INSERT INTO epochs VALUES ($1, $2, $3, $4, $5)', [
      agent,
      BigInt(first),
      BigInt(last),
      BigInt(Math.trunc(fromMs)),
      BigInt(Math.ceil(toMs)),
    ]);
    this.runs.push(added);
  }

  #add(row: PointRow): void {
    this.points.push(row);
    const { agent, ifindex, direction, interfaceName, isPrimary: primary } = row;
    this.#pointIds.set(pointKey(agent, { ifindex, direction, interfaceName, primary }), row);
  }
}

function pointKey(agent: number, { ifindex, direction, interfaceName, primary }: PointWords): string {
  return `${agent}/${ifindex}/${direction}/${primary ? 1 : 0}/${interfaceName ?? ''}`;
}
