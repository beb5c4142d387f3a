import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from 'react';
import { formatQuantity, type Quantity } from '../../../src/flow/index.ts';
import { type Rise, riseOf } from '../../../src/query/index.ts';
import {
  isRest,
  layoutSeries,
  rateIn,
  ratesOfAll,
  type SeriesLayout,
  type SeriesLine,
  type SeriesTable,
  summarize,
} from '../layout/series.ts';
import type { Units } from '../question.ts';
import { type Paint, paintOf } from '../segments.ts';
import { lengthWords, momentWords, spanWords } from '../time-words.ts';
import { rate } from '../words.ts';
import { Amount } from './Amount.tsx';
import { SegmentText } from './Named.tsx';
import type { SeriesKind } from './SeriesPlot.tsx';

const SeriesPlot = lazy(() => import('./SeriesPlot.tsx'));

/** What a series is given. */
export interface SeriesProps {
  /** What is shown, in words. */
  readonly title: string;
  /** The answer to an ask `series`. */
  readonly table: SeriesTable;
  /** What the axis of time shows: the span asked for. Unix epoch, milliseconds. */
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly units: Units;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly kind?: SeriesKind;
  /** Of the drawing, CSS pixels. */
  readonly height?: number;
  /** Called with the span that was drawn with the pointer; without, nothing can be zoomed into. */
  readonly onZoom?: ((span: { readonly fromMs: number; readonly toMs: number }) => void) | undefined;
  /** What a line is called; by default its first value is a segment. */
  readonly nameOf?: (line: SeriesLine) => ReactNode;
  readonly paintOfLine?: (line: SeriesLine) => Paint;
}

const INK: Paint = { tone: 'tone-ink', pattern: 0 };
const REST: Paint = { tone: 'tone-none', pattern: 2 };

/** Rates over time: a drawing, what its lines are, their values at the cursor, and all of it as a table. */
export function Series(props: SeriesProps) {
  const { title, table, span, units, paints, kind = 'stacked', height = 220 } = props;
  const { nameOf = segmentOfLine, paintOfLine } = props;
  const layout = useMemo(() => layoutSeries(table), [table]);
  const [pointed, setPointed] = useState<number>();
  const linePaints = useMemo(
    () => layout.lines.map((line) => paintOfLine?.(line) ?? usualPaint(line, paints)),
    [layout, paints, paintOfLine],
  );
  const onCursor = useCallback((next: number | undefined) => setPointed(next), []);
  const at = pointed === undefined ? undefined : layout.steps[pointed];
  // Of an answer with fewer steps the cursor is told anew, but only after this was drawn.
  const step = at && pointed;
  const nowMs = span.toMs;
  const rise = useMemo(() => riseOf(ratesOfAll(layout)), [layout]);
  const isGrouped = layout.lines.some(({ group }) => group.length > 0);
  return (
    <figure className="series" data-testid="series">
      <figcaption>
        <span className="series-title">{title}</span>
        <span className="quiet" data-testid="series-summary">
          {at ? spanWords(at, { nowMs }) : summaryWords(layout, units, nowMs)}
        </span>
        {at && !isGrouped && <LineRate layout={layout} line={layout.lines[0]} step={step!} units={units} />}
        {rise && <RiseWords rise={rise} span={span} onZoom={props.onZoom} />}
      </figcaption>
      <Suspense fallback={<div className="series-plot is-waiting" style={{ height }} />}>
        <SeriesPlot
          layout={layout}
          kind={kind}
          paints={linePaints}
          span={span}
          units={units}
          height={height}
          onCursor={onCursor}
          onZoom={props.onZoom}
        />
      </Suspense>
      {isGrouped && (
        <ul className="series-lines">
          {layout.lines.map((line, index) => (
            <li key={line.id} data-testid="series-line" data-line={line.id} data-octets={line.total}>
              <span
                className={`swatch ${linePaints[index]!.tone} pattern-${linePaints[index]!.pattern}`}
                aria-hidden="true"
              />
              {isRest(line) ? 'others' : nameOf(line)}{' '}
              <LineRate layout={layout} line={line} step={step} units={units} />
            </li>
          ))}
        </ul>
      )}
      <SeriesNumbers title={title} layout={layout} units={units} nowMs={nowMs} nameOf={nameOf} />
    </figure>
  );
}

function segmentOfLine({ group }: SeriesLine): ReactNode {
  return group.length === 0 ? 'all' : <SegmentText segment={String(group[0])} />;
}

function usualPaint(line: SeriesLine, paints: ReadonlyMap<string, Paint>): Paint {
  if (line.group.length === 0) return INK;
  return isRest(line) ? REST : paintOf(paints, String(line.group[0]));
}

/** A line's rate in a step, or its mean where no step is pointed at. */
function LineRate(props: {
  readonly layout: SeriesLayout;
  readonly line: SeriesLine | undefined;
  readonly step: number | undefined;
  readonly units: Units;
}) {
  const { layout, line, step, units } = props;
  const value = !line
    ? 0
    : step === undefined
      ? summarize({ steps: layout.steps, lines: [line] }).mean
      : rateIn(line, layout, step);
  return value === null ? (
    <span className="quiet">not metered</span>
  ) : (
    <Amount quantity={rate(value, units)} />
  );
}

/** `mean 1.2 Gbit/s, most 3.4 Gbit/s at 14:05, 5 min not metered`. */
function summaryWords(layout: SeriesLayout, units: Units, nowMs: number): string {
  const { mean, most, mostAtMs, meteredMs, unmeteredMs } = summarize(layout);
  if (meteredMs === 0) return 'nobody metered here';
  const say = (value: number): string => formatQuantity(rate(value, units));
  const words =
    mostAtMs === undefined
      ? ['nothing was sent']
      : [`mean ${say(mean)}`, `most ${say(most)} at ${momentWords(mostAtMs, { nowMs })}`];
  // The last step is never whole.
  if (unmeteredMs >= 2 * stepMs(layout)) words.push(`${lengthWords(unmeteredMs)} not metered`);
  return words.join(', ');
}

/** Where a step is longer, a closer look tells more exactly when it began. */
const EXACT_MS = 60_000;
/** Steps before and behind the begin that a closer look shows: an answer then has steps of a sixtieth of these. */
const CLOSER = 2;

/** Since when it is so much; where that can be known more exactly, a way to look closer. */
function RiseWords({ rise, span, onZoom }: { readonly rise: Rise } & Pick<SeriesProps, 'span' | 'onZoom'>) {
  const { fromMs, stepMs } = rise;
  const closer = {
    fromMs: Math.max(span.fromMs, fromMs - CLOSER * stepMs),
    toMs: Math.min(span.toMs, fromMs + CLOSER * stepMs),
  };
  const attributes = { 'data-testid': 'series-rise', 'data-from': fromMs, 'data-to': rise.toMs };
  if (!onZoom || stepMs <= EXACT_MS) return <span {...attributes}>{riseWords(rise)}</span>;
  return (
    <button
      type="button"
      className="series-rise"
      title="Look closer at when that began"
      onClick={() => onZoom(closer)}
      {...attributes}
    >
      {riseWords(rise)}
    </button>
  );
}

/** `× 12 since 19 Nov 03:40`, `only from 19 Nov 10:05 to 10:25`. */
function riseWords({ fromMs, toMs, times }: Rise): string {
  const factor = Number.isFinite(times) ? `× ${times < 10 ? times.toFixed(1) : Math.round(times)}` : 'only';
  // Of which day it is, also where the span ends on it: a moment that is passed on.
  const nowMs = Date.now();
  if (toMs === undefined) return `${factor} since ${momentWords(fromMs, { nowMs })}`;
  return `${factor} ${spanWords({ fromMs, toMs }, { nowMs })}`;
}

function stepMs({ steps }: SeriesLayout): number {
  return steps[0] ? steps[0].toMs - steps[0].fromMs : 0;
}

interface NumbersProps {
  readonly title: string;
  readonly layout: SeriesLayout;
  readonly units: Units;
  readonly nowMs: number;
  readonly nameOf: (line: SeriesLine) => ReactNode;
}

/** The drawing's twin in numbers, for who does not see it or wants them exactly. */
function SeriesNumbers({ title, layout, units, nowMs, nameOf }: NumbersProps) {
  const [isOpen, setOpen] = useState(false);
  const say = (value: number | null): Quantity =>
    value === null ? { number: '–', unit: '' } : rate(value, units);
  return (
    <details className="series-numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Numbers<span className="unseen"> of {title}</span>
      </summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        <section className="series-scroll" aria-label={`Numbers of ${title}`} tabIndex={0}>
          <table data-testid="series-table">
            <thead>
              <tr>
                <th scope="col">From</th>
                {layout.lines.map((line) => (
                  <th key={line.id} scope="col" className="numeric">
                    {isRest(line) ? 'others' : nameOf(line)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {layout.steps.map(({ fromMs }, step) => (
                <tr key={fromMs} data-from={fromMs}>
                  <th scope="row">{momentWords(fromMs, { nowMs })}</th>
                  {layout.lines.map((line) => (
                    <td key={line.id} className="numeric" data-octets={line.octets[step]}>
                      <Amount quantity={say(rateIn(line, layout, step))} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
