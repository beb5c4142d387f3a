/** Values seen lately, of an agent that keeps a history: what could stand in a filter beside words. */
import {
  type Dimension,
  type FilterField,
  type KnownValues,
  ResultTableSchema,
  wantedValues,
} from '../../src/query/index.ts';

/** Values of a dimension are asked for again after this. */
const NEW_MS = 60_000;
/** Values asked for. */
const MOST = 50;

/** Values by dimension, each asked for once a minute at most, and only when somebody types where they could stand. */
export class SeenValues {
  readonly #fetch: typeof fetch;
  readonly #nowMs: () => number;
  readonly #seen = new Map<Dimension, { readonly values: readonly string[]; readonly askedMs: number }>();

  constructor({ fetch, nowMs }: { readonly fetch: typeof globalThis.fetch; readonly nowMs: () => number }) {
    this.#fetch = fetch;
    this.#nowMs = nowMs;
  }

  /** What is known for the cursor's place. */
  known(text: string, cursor: number): KnownValues {
    const wanted = wantedValues(text, cursor);
    const values = wanted && this.#seen.get(wanted.dimension)?.values;
    return wanted && values
      ? ({ [wanted.field]: values } satisfies Partial<Record<FilterField, unknown>>)
      : {};
  }

  /** Asks for what could stand at the cursor, if that is not known. @returns whether there is more now */
  async learn(text: string, cursor: number): Promise<boolean> {
    const wanted = wantedValues(text, cursor);
    if (!wanted) return false;
    const { dimension } = wanted;
    const askedMs = this.#nowMs();
    const before = this.#seen.get(dimension);
    if (before && askedMs - before.askedMs < NEW_MS) return false;
    this.#seen.set(dimension, { values: before?.values ?? [], askedMs });
    try {
      const question = new URLSearchParams({ q: `distinct ${MOST} ${dimension} last 24h` });
      const response = await this.#fetch(`api/v1/query?${question}`, { cache: 'no-store' });
      if (!response.ok) return false;
      const { rows } = ResultTableSchema.parse(await response.json());
      const values = rows.flatMap(([value]) =>
        value === null || value === undefined ? [] : [String(value)],
      );
      this.#seen.set(dimension, { values, askedMs });
      return true;
    } catch {
      // Words can be typed without.
      return false;
    }
  }
}
