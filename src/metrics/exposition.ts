/** Families of metrics as text: Prometheus' text format 0.0.4 and OpenMetrics 1.0. */

/** Media types of the two forms. */
export const METRICS_TYPES = ['text/plain', 'application/openmetrics-text'] as const;

/** One of the two forms. */
export type MetricsType = (typeof METRICS_TYPES)[number];

/** Content types as scrapers know them. */
const CONTENT_TYPES = {
  'text/plain': 'text/plain; version=0.0.4; charset=utf-8',
  'application/openmetrics-text': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const satisfies Record<MetricsType, string>;

/** An exposition as it goes over the wire. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** One value of a counter or gauge. */
export interface Sample {
  /** As {@link labelText} writes them; empty for none. */
  readonly labels: string;
  readonly value: number;
}

/** One distribution of a histogram. */
export interface Distribution {
  readonly labels: string;
  /** Observations at or below each bound and above the bound before it, then those above all bounds. */
  readonly counts: readonly number[];
  /** Sum of what was observed, in the unit of the bounds. */
  readonly sum: number;
}

/** A family of metrics. Its name begins with what it belongs to; that of a counter ends in `_total`. */
export type Family =
  | {
      readonly kind: 'counter' | 'gauge';
      readonly name: string;
      readonly help: string;
      readonly samples: readonly Sample[];
    }
  | {
      readonly kind: 'histogram';
      readonly name: string;
      readonly help: string;
      /** Upper bounds, rising, finite; counted up beforehand by whoever measured. */
      readonly bounds: readonly number[];
      readonly samples: readonly Distribution[];
    };

/** What all names of ours begin with. */
export const PREFIX = 'tunnelscope_';
const NAME = /^[a-z][a-z0-9_]*$/;

/** A family of counters under our prefix. @param name without prefix, with `_total` */
export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { kind: 'counter', name: PREFIX + name, help, samples };
}

/** A family of gauges under our prefix. @param name without prefix */
export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { kind: 'gauge', name: PREFIX + name, help, samples };
}

/** Labels in their order, as they stand between braces: `interface="eth0",direction="ingress"`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeQuoted(value)}"`)
    .join(',');
}

/** Writes an exposition; values are exact up to 2^53. @throws RangeError on a name or a distribution that is none */
export function writeExposition(families: readonly Family[], type: MetricsType): Exposition {
  const isOpen = type === 'application/openmetrics-text';
  const parts: string[] = [];
  for (const family of families) {
    check(family);
    const name = isOpen && family.kind === 'counter' ? family.name.replace(/_total$/, '') : family.name;
    parts.push(`# HELP ${name} ${isOpen ? escapeQuoted(family.help) : escapeHelp(family.help)}\n`);
    parts.push(`# TYPE ${name} ${family.kind}\n`);
    if (family.kind === 'histogram') {
      for (const sample of family.samples) parts.push(distributionText(name, family.bounds, sample));
    } else {
      for (const { labels, value } of family.samples) parts.push(sampleText(family.name, labels, value));
    }
  }
  if (isOpen) parts.push('# EOF\n');
  return { contentType: CONTENT_TYPES[type], text: parts.join('') };
}

function check(family: Family): void {
  const { kind, name } = family;
  if (!NAME.test(name)) throw new RangeError(`"${name}" is no name of a metric: small letters, digits and _`);
  if (name.endsWith('_total') !== (kind === 'counter'))
    throw new RangeError(`${name} is a ${kind}: names of counters, and of nothing else, end in _total`);
  if (family.kind !== 'histogram') return;
  for (const { counts } of family.samples) {
    if (counts.length !== family.bounds.length + 1)
      throw new RangeError(
        `${name} has ${family.bounds.length} bounds and ${counts.length} counts, not one more`,
      );
  }
}

function sampleText(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
}

/** Buckets are cumulative over the wire, and the last of them is the count. */
function distributionText(name: string, bounds: readonly number[], sample: Distribution): string {
  const { labels, counts, sum } = sample;
  const before = labels === '' ? '' : `${labels},`;
  let below = 0;
  let text = '';
  for (const [i, count] of counts.entries()) {
    below += count;
    const bound = i < bounds.length ? boundText(bounds[i]!) : '+Inf';
    text += `${name}_bucket{${before}le="${bound}"} ${numberText(below)}\n`;
  }
  return text + sampleText(`${name}_sum`, labels, sum) + sampleText(`${name}_count`, labels, below);
}

/** With a point, as OpenMetrics has it: a bound must not be another one in the other form. */
function boundText(bound: number): string {
  return Number.isInteger(bound) && bound < 1e21 ? `${bound}.0` : String(bound);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeQuoted(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
