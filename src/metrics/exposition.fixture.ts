/** A strict reader of metrics, in a way of its own: for tests of what is written. */
import assert from 'node:assert/strict';

/** One sample as it was read. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family and its samples, in the order they stand. */
export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ReadSample[];
}

type Form = 'prometheus' | 'openmetrics';

/** What is written behind a family's name, by its type. */
const SUFFIXES: Readonly<Record<Form, Readonly<Record<string, readonly string[]>>>> = {
  prometheus: { histogram: ['_bucket', '_sum', '_count'] },
  openmetrics: { counter: ['_total'], histogram: ['_bucket', '_sum', '_count'] },
};

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*';
const QUOTED = '"((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{((?:${LABEL}=${QUOTED})(?:,${LABEL}=${QUOTED})*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);

/** Reads an exposition and fails on whatever the format forbids. */
export function readExposition(text: string, form: Form): Map<string, ReadFamily> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const lines = text.slice(0, -1).split('\n');
  if (form === 'openmetrics') assert.equal(lines.pop(), '# EOF', 'an end that cannot be a cut');
  const families = new Map<string, { name: string; type: string; help: string; samples: ReadSample[] }>();
  const series = new Set<string>();
  let current: { name: string; type: string; help: string; samples: ReadSample[] } | undefined;
  for (const line of lines) {
    if (line === '' && form === 'prometheus') continue;
    const help = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line);
    if (help) {
      assert.ok(!families.has(help[1]!), `${help[1]} stands once and in one piece`);
      current = { name: help[1]!, help: help[2]!, type: '', samples: [] };
      families.set(current.name, current);
      continue;
    }
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (type) {
      assert.ok(current?.name === type[1] && current?.type === '', `TYPE follows the HELP of ${type[1]}`);
      current.type = type[2]!;
      continue;
    }
    const sample = readSample(line);
    assert.ok(current?.type, `a family before ${line}`);
    const suffixes = SUFFIXES[form][current.type] ?? [''];
    assert.ok(
      suffixes.some((suffix) => sample.name === current!.name + suffix),
      `${sample.name} belongs to the family above, ${current.name}`,
    );
    assert.ok(current.type === 'gauge' || sample.value >= 0, `${line}: a counter is not negative`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
    assert.ok(!series.has(key), `${key} stands once`);
    series.add(key);
    current.samples.push(sample);
  }
  for (const { name, type, samples } of families.values()) {
    assert.equal(/_total$/.test(name), form === 'prometheus' && type === 'counter', `${name} is a ${type}`);
    if (type === 'histogram') checkHistogram(name, samples);
  }
  return families;
}

/** Buckets rise, the last is of all there is, and the count is the same. */
function checkHistogram(name: string, samples: readonly ReadSample[]): void {
  const distributions = new Map<string, { buckets: [number, number][]; count: number; sum: number }>();
  for (const { name: full, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    const one = distributions.get(key) ?? { buckets: [], count: Number.NaN, sum: Number.NaN };
    distributions.set(key, one);
    if (full === `${name}_bucket`) {
      assert.ok(le !== undefined, `a bucket of ${name} has a bound`);
      assert.ok(le === '+Inf' || /[.e]/.test(le), `${le} is a bound in its canonical form`);
      one.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
    } else {
      assert.equal(le, undefined);
      if (full === `${name}_count`) one.count = value;
      else one.sum = value;
    }
  }
  for (const { buckets, count, sum } of distributions.values()) {
    for (const [i, [bound, value]] of buckets.entries()) {
      if (i === 0) continue;
      const [boundBefore, before] = buckets[i - 1]!;
      assert.ok(bound > boundBefore && value >= before, `the buckets of ${name} rise`);
    }
    assert.deepEqual(buckets.at(-1), [Number.POSITIVE_INFINITY, count]);
    assert.ok(Number.isFinite(sum), `${name} has a sum`);
  }
}

function readSample(line: string): ReadSample {
  const [, name = '', labels = '', , , value] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`);
  const read: Record<string, string> = {};
  for (const [, label = '', quoted = ''] of labels.matchAll(new RegExp(`(${LABEL})=${QUOTED}`, 'g'))) {
    assert.ok(!(label in read), `${line}: ${label} stands once`);
    read[label] = quoted.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return { name, labels: read, value: Number(value) };
}
