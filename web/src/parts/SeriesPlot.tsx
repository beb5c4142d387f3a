/** The drawing of a series, with uPlot. Loaded when the first one is shown. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { formatQuantity } from '../../../src/flow/index.ts';
import { useSize } from '../hooks.ts';
import { rateIn, type SeriesLayout, stacked } from '../layout/series.ts';
import type { Units } from '../question.ts';
import type { Paint } from '../segments.ts';
import { tickWords } from '../time-words.ts';
import { rate } from '../words.ts';
import { fillOf, readInks, type SeriesInks } from './series-paint.ts';

/** How a series is drawn. `lines` for what does not add up. */
export type SeriesKind = 'stacked' | 'lines';

/** What the drawing is given. */
export interface SeriesPlotProps {
  readonly layout: SeriesLayout;
  readonly kind: SeriesKind;
  /** One for each line. */
  readonly paints: readonly Paint[];
  /** What the axis of time shows. */
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly units: Units;
  /** CSS pixels. */
  readonly height: number;
  /** The step under the cursor, of this chart or of another on the page. */
  readonly onCursor: (step: number | undefined) => void;
  /** A span was drawn with the pointer; absent where there is nothing to be zoomed into. */
  readonly onZoom: ((span: { readonly fromMs: number; readonly toMs: number }) => void) | undefined;
}

/** Charts of a page share their cursor. */
const CURSOR = uPlot.sync('page');
/** Shorter than this it was a click, pixels. */
const LEAST_ZOOM = 5;
const SECOND_MS = 1000;
/** What was metered longer ago is stored, if anything was. */
const LATE_MS = 60_000;
/** Room of a time on its axis, pixels: `14:05:30`, and `14:05:30.250` where a second has several ticks. */
const TIME_SPACE = { usual: 64, fine: 92 } as const;
/** In a longer span no tick is within a second. */
const FINE_SPAN_MS = 20_000;
/** Powers of two, for axes of octets. */
const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);

/** What the chart was made with and what it shows now: its callbacks read it when they draw. */
interface Drawn {
  readonly props: SeriesPlotProps;
  readonly inks: SeriesInks;
}

/** Draws a series and keeps it as wide as its frame. */
export default function SeriesPlot(props: SeriesPlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const drawn = useRef<Drawn>(undefined);
  const { width } = useSize(frame);
  const { layout, kind, paints, span, units, height, onZoom } = props;
  const shape = JSON.stringify([kind, units, layout.lines.map(({ id }) => id), onZoom !== undefined]);

  useEffect(() => {
    const tones = paints.map(({ tone }) => tone);
    drawn.current = { props, inks: readInks(frame.current!, tones) };
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it shows beside its shape is written below
  useEffect(() => {
    if (width === 0) return;
    const made = new uPlot(
      optionsOf(() => drawn.current!, { width, height }),
      dataOf(props),
      frame.current!,
    );
    chart.current = made;
    return () => {
      made.destroy();
      chart.current = undefined;
      drawn.current?.props.onCursor(undefined);
    };
  }, [shape, width > 0]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the units are in the shape
  useEffect(() => {
    chart.current?.setData(dataOf(props), false);
    chart.current?.setScale('x', { min: span.fromMs, max: span.toMs });
  }, [layout, kind, span.fromMs, span.toMs]);
  useEffect(() => {
    if (width > 0) chart.current?.setSize({ width, height });
  }, [width, height]);
  useEffect(
    () =>
      onNewColours(() => {
        const { props: shown } = drawn.current!;
        drawn.current = {
          props: shown,
          inks: readInks(
            frame.current!,
            shown.paints.map(({ tone }) => tone),
          ),
        };
        chart.current?.redraw(false);
      }),
    [],
  );
  return <div ref={frame} className="series-plot" aria-hidden="true" style={{ height }} />;
}

/** Middles of the steps, so that the cursor finds the step it is in, and the lines' values in bits or octets per second. */
function dataOf({ layout, kind, units }: SeriesPlotProps): uPlot.AlignedData {
  const middles = layout.steps.map(({ fromMs, toMs }) => (fromMs + toMs) / 2);
  const values =
    kind === 'stacked'
      ? stacked(layout)
      : layout.lines.map((line) => layout.steps.map((_, step) => rateIn(line, layout, step)));
  const scale = units === 'rate' ? 8 : 1;
  return [middles, ...values.map((line) => line.map((value) => value && scale * value))];
}

function optionsOf(
  drawn: () => Drawn,
  { width, height }: { readonly width: number; readonly height: number },
): uPlot.Options {
  const { kind, units, paints, layout, onZoom } = drawn().props;
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {
    font,
    stroke: () => drawn().inks.quiet,
    grid: { stroke: () => drawn().inks.line, width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    ms: 1,
    // Half of a time stands beside the end of the axis.
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: onZoom !== undefined, y: false, setScale: false, dist: LEAST_ZOOM },
      sync: { key: CURSOR.key, setSeries: false, scales: ['x', null] },
    },
    scales: {
      x: {
        time: true,
        auto: false,
        range: () => [drawn().props.span.fromMs, drawn().props.span.toMs],
      },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.06 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        gap: 6,
        space: (_, __, fromMs, toMs) => (toMs - fromMs > FINE_SPAN_MS ? TIME_SPACE.usual : TIME_SPACE.fine),
        values: (_, ticks, __, ___, everyMs) => tickWords(ticks, everyMs),
      },
      {
        ...axis,
        size: 78,
        gap: 6,
        space: 36,
        ...(units === 'octets' && { incrs: BINARY_STEPS }),
        values: (_, ticks) => ticks.map((tick) => tickQuantity(tick, units)),
      },
    ],
    series: [
      {},
      ...layout.lines.map(
        (_, line): uPlot.Series => ({
          width: kind === 'stacked' ? 0.75 : 1.5,
          points: { show: false },
          stroke: () => drawn().inks.tones.get(paints[line]!.tone) ?? drawn().inks.quiet,
          ...(kind === 'stacked' && { fill: (chart) => fillOf(chart.ctx, paints[line]!, drawn().inks) }),
          paths: (chart, series) => stepPaths(chart, series, drawn().props),
        }),
      ),
    ],
    hooks: {
      drawClear: [(chart) => drawGaps(chart, drawn())],
      setCursor: [(chart) => drawn().props.onCursor(chart.cursor.idx ?? undefined)],
      setSelect: [(chart) => zoom(chart, drawn().props)],
    },
  };
}

/** `1.5 Gbit/s`, without digits that say nothing. */
function tickQuantity(tick: number, units: Units): string {
  if (tick === 0) return '0';
  const { number, unit } = rate(units === 'rate' ? tick / 8 : tick, units);
  return formatQuantity({ number: String(Number(number)), unit });
}

/** Steps as they were summed, each from its begin to its end; what was not metered leaves the line open. */
function stepPaths(chart: uPlot, series: number, { layout, kind }: SeriesPlotProps): uPlot.Series.Paths {
  const stroke = new Path2D();
  const fill = new Path2D();
  const upper = chart.data[series]!;
  const lower = kind === 'stacked' && series > 1 ? chart.data[series - 1]! : undefined;
  const y = (value: number): number => Math.round(chart.valToPos(value, 'y', true));
  let isOpen = false;
  for (const [index, { fromMs, toMs }] of layout.steps.entries()) {
    const value = upper[index];
    if (value === null || value === undefined) {
      isOpen = false;
      continue;
    }
    const left = Math.round(chart.valToPos(fromMs, 'x', true));
    const right = Math.round(chart.valToPos(toMs, 'x', true));
    const top = y(value);
    if (isOpen) stroke.lineTo(left, top);
    else stroke.moveTo(left, top);
    stroke.lineTo(right, top);
    isOpen = true;
    fill.rect(left, top, right - left, y(lower?.[index] ?? 0) - top);
  }
  return { stroke, fill: kind === 'stacked' ? fill : null, clip: null, band: null, flags: 1 };
}

/** What nobody metered has another ground: it is no zero. */
function drawGaps(chart: uPlot, { props, inks }: Drawn): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = inks.hover;
  const { span, layout } = props;
  // Neither was anything before the first step, nor after the last but for what is on its way to the store.
  const firstMs = layout.steps[0]?.fromMs ?? span.toMs;
  const lastMs = layout.steps.at(-1)?.toMs ?? span.toMs;
  const ends = [
    { fromMs: span.fromMs, toMs: firstMs, seconds: 0 },
    { fromMs: span.toMs - lastMs > LATE_MS ? lastMs : span.toMs, toMs: span.toMs, seconds: 0 },
  ];
  for (const { fromMs, toMs, seconds } of [...ends, ...layout.steps]) {
    if (seconds > 0) continue;
    // Whole pixels, so that neighbours leave no seam.
    const left = Math.max(bbox.left, Math.round(chart.valToPos(fromMs, 'x', true)));
    const right = Math.min(bbox.left + bbox.width, Math.round(chart.valToPos(toMs, 'x', true)));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

function zoom(chart: uPlot, { onZoom }: SeriesPlotProps): void {
  const { left, width } = chart.select;
  if (width < LEAST_ZOOM) return;
  // Whole seconds: less nobody keeps.
  const fromMs = SECOND_MS * Math.floor(chart.posToVal(left, 'x') / SECOND_MS);
  const toMs = SECOND_MS * Math.ceil(chart.posToVal(left + width, 'x') / SECOND_MS);
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom?.({ fromMs, toMs });
}

/** Calls back when the page changes between light and dark, or is put on paper. @returns the way to stop */
function onNewColours(call: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(call);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  const paper = matchMedia('print');
  system.addEventListener('change', call);
  paper.addEventListener('change', call);
  return () => {
    chosen.disconnect();
    system.removeEventListener('change', call);
    paper.removeEventListener('change', call);
  };
}
