/** Rules as they are given: filters, which may name interfaces by patterns, made ready for the kernel with those there are. */
import type { Filter } from '../query/index.ts';
import { MeterError } from './error.ts';
import { readInterfaces } from './interfaces.ts';
import type { LoadedMeter } from './loaded.ts';

/** What a loaded meter, which stays the caller's, is to keep. */
export class GivenRules {
  readonly #loaded: LoadedMeter;
  #rules: readonly Filter[] = [];

  constructor(loaded: LoadedMeter) {
    this.#loaded = loaded;
  }

  /** As {@link Meter.setRules}. */
  async set(rules: readonly Filter[]): Promise<void> {
    const lines = await linesOf(rules);
    const ruling = this.#loaded.setRules(lines);
    this.#rules = rules;
    await ruling;
  }

  /** Before anything is attached: the first epoch has them. */
  async begin(rules: readonly Filter[]): Promise<void> {
    await this.#loaded.beginRules(await linesOf(rules));
    this.#rules = rules;
  }

  /** Rules that name interfaces name others when interfaces come and go. */
  async rename(): Promise<void> {
    if (!this.#rules.some(namesInterfaces)) return;
    const lines = await linesOf(this.#rules);
    this.#loaded.setRules(lines).catch(() => undefined);
  }
}

/** What it is made by is loaded only where there are rules. */
async function linesOf(rules: readonly Filter[]): Promise<Uint8Array | undefined> {
  if (rules.length === 0) return undefined;
  const [{ classify }, { ruleLines }] = await Promise.all([
    import('../query/index.ts'),
    import('./rule-lines.ts'),
  ]);
  const interfaces = await readInterfaces();
  try {
    const classifier = classify(
      rules,
      interfaces.map(({ ifindex, name }) => ({ ifindex, interfaceName: name })),
    );
    return classifier && ruleLines(classifier);
  } catch (cause) {
    throw new MeterError('METER_RULES', `the rules cannot be used: ${(cause as Error).message}`, {
      cause,
      remedy: 'use fewer or simpler ones (docs/rules.md)',
    });
  }
}

function namesInterfaces(filter: Filter): boolean {
  switch (filter.kind) {
    case 'is':
      return filter.field === 'iface';
    case 'not':
      return namesInterfaces(filter.filter);
    case 'and':
    case 'or':
      return filter.filters.some(namesInterfaces);
    default:
      return false;
  }
}
