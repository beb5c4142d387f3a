import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { bitRateQuantity, formatQuantity } from '../../../src/flow/index.ts';
import { useAnswer } from '../answers.ts';
import type { Newest } from '../freshness.ts';
import { type Go, useNewest, useSize } from '../hooks.ts';
import { centred, dragged, type Grip, playedOn } from '../layout/brush.ts';
import { layoutSeries, rateIn, type SeriesLayout, summarize } from '../layout/series.ts';
import { agentNowMs } from '../moment.ts';
import type { ShownPast } from '../past.ts';
import type { Span } from '../past-questions.ts';
import type { Place } from '../question.ts';
import { momentWords, spanWords } from '../time-words.ts';

const HEIGHT = 44;
/** A mark is never narrower than this, pixels. */
const LEAST_MARK = 4;
/** Between two steps of a play, milliseconds. */
const PLAY_MS = 1000;
/** The end of the range is looked at again after this. */
const RENEW_MS = 60_000;

interface ScrubberProps {
  readonly place: Place;
  readonly go: Go;
  readonly newest: Newest | undefined;
  readonly past: ShownPast;
}

/** All that is kept, with the present span marked: it can be moved, stretched and played. */
export default function Scrubber({ place, go, newest, past }: ScrubberProps) {
  const range = useRange(newest);
  const { table } = useAnswer(range && { ask: 'series', by: [], ...range }, 0);
  const layout = useMemo(() => table && layoutSeries(table), [table]);
  const [draft, setDraft] = useState<Span>();
  const span = draft ?? past.span;
  const show = useNewest((next: Span, how?: 'replace') =>
    go({ ...place, time: { kind: 'span', ...next } }, how),
  );
  const [isPlaying, setPlaying] = usePlay(past, range, show);
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const nowMs = range?.toMs ?? 0;
  return (
    <figure className="strip scrubber" data-testid="scrubber" data-from={span?.fromMs} data-to={span?.toMs}>
      <button
        type="button"
        className="step play"
        data-testid="play"
        aria-pressed={isPlaying}
        aria-label={isPlaying ? 'Stop' : 'Play'}
        title={`${isPlaying ? 'Stop' : 'Play'} (Space)`}
        disabled={!range || !span}
        onClick={() => setPlaying(!isPlaying)}
      >
        <span aria-hidden="true">{isPlaying ? '❚❚' : '▶'}</span>
      </button>
      <div ref={frame} className="strip-frame">
        {layout && range && <Drawing layout={layout} range={range} width={width} />}
        {range && span && width > 0 && (
          <Brush
            span={span}
            range={range}
            width={width}
            onDraft={setDraft}
            onSpan={(next) => {
              setDraft(undefined);
              show(next);
            }}
          />
        )}
      </div>
      <figcaption>
        <span>{range ? momentWords(range.fromMs, { nowMs }) : ''}</span>
        <span data-testid="scrubber-words">
          {span && range ? spanWords(span, { nowMs }) : ''}
          {layout && ` · whole host, peak ${formatQuantity(bitRateQuantity(summarize(layout).most))}`}
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

/** From the first that is kept until now. */
function useRange(newest: Newest | undefined): Span | undefined {
  const [endMs, setEnd] = useState<number>();
  const now = useRef(newest);
  useEffect(() => {
    now.current = newest;
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (now.current) setEnd(agentNowMs(now.current, Date.now()));
    }, RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  if (endMs === undefined && newest) setEnd(agentNowMs(newest, Date.now()));
  const { table } = useAnswer(
    endMs === undefined ? undefined : { ask: 'series', by: [], fromMs: 0, toMs: endMs },
    0,
  );
  const fromMs = table?.covered.fromMs;
  return useMemo(
    () =>
      fromMs !== undefined && endMs !== undefined && fromMs < endMs ? { fromMs, toMs: endMs } : undefined,
    [fromMs, endMs],
  );
}

/** Moves the span step by step, each when the one before has its picture. Space plays and stops. */
function usePlay(
  { span, now }: ShownPast,
  range: Span | undefined,
  show: (span: Span, how?: 'replace') => void,
): [boolean, (is: boolean) => void] {
  const [isPlaying, setPlaying] = useState(false);
  const step = useNewest(() => {
    if (!span || !range || now.isAsking) return;
    const next = playedOn(span, range);
    if (next) show(next, 'replace');
    else setPlaying(false);
  });
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setInterval(step, PLAY_MS);
    return () => clearInterval(timer);
  }, [isPlaying, step]);
  useEffect(() => {
    // Before the page takes it for a pause of the live view.
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const target = event.target as Element;
      if (event.key !== ' ' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('button, a, input, select, summary, [role="link"], g.arc')) return;
      event.preventDefault();
      setPlaying((was) => !was);
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, []);
  return [isPlaying, setPlaying];
}

interface DrawingProps {
  readonly layout: SeriesLayout;
  readonly range: Span;
  readonly width: number;
}

/** What was sent, over all of the range; where nobody metered nothing stands. */
function Drawing({ layout, range, width }: DrawingProps) {
  const { most, mostAtMs } = summarize(layout);
  const [line] = layout.lines;
  const x = (ms: number): number => round((width * (ms - range.fromMs)) / (range.toMs - range.fromMs));
  const path = layout.steps.map(({ fromMs, toMs }, step) => {
    const value = line ? rateIn(line, layout, step) : 0;
    if (value === null || most === 0) return '';
    const y = round(HEIGHT - 1 - (value / most) * (HEIGHT - 4));
    return `M${x(fromMs)},${HEIGHT}V${y}H${x(Math.min(toMs, range.toMs))}V${HEIGHT}Z`;
  });
  const peak = formatQuantity(bitRateQuantity(most));
  const when = mostAtMs === undefined ? '' : ` at ${momentWords(mostAtMs, { nowMs: range.toMs })}`;
  return (
    <svg
      width={width}
      height={HEIGHT}
      role="img"
      aria-label={`Traffic of the whole host in all that is kept, at most ${peak}${when}.`}
    >
      <path className="strip-area" d={path.join('')} />
      <line className="strip-floor" x1={0} x2={width} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
    </svg>
  );
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

interface BrushProps {
  readonly span: Span;
  readonly range: Span;
  readonly width: number;
  /** While it is being dragged. */
  readonly onDraft: (span: Span) => void;
  readonly onSpan: (span: Span) => void;
}

/** The mark of the span and its two ends, for pointer and keyboard. */
function Brush({ span, range, width, onDraft, onSpan }: BrushProps) {
  const held = useRef<{ readonly grip: Grip; readonly x: number; readonly span: Span }>(undefined);
  const msPerPixel = (range.toMs - range.fromMs) / width;
  const moved = (event: PointerEvent): Span | undefined => {
    if (!held.current) return undefined;
    const { grip, x, span: was } = held.current;
    return dragged(was, grip, { byMs: (event.clientX - x) * msPerPixel, range });
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0) return;
    const grip = (event.target as HTMLElement).dataset.grip as Grip | undefined;
    event.currentTarget.setPointerCapture(event.pointerId);
    const x = event.clientX;
    if (grip) {
      held.current = { grip, x, span };
      return;
    }
    const at = range.fromMs + (x - event.currentTarget.getBoundingClientRect().left) * msPerPixel;
    const next = centred(span, at, range);
    held.current = { grip: 'whole', x, span: next };
    onDraft(next);
  };
  const onPointerUp = (event: PointerEvent): void => {
    const next = moved(event);
    held.current = undefined;
    if (next) onSpan(next);
  };
  const left = (ms: number): number => Math.min(width, Math.max(0, (ms - range.fromMs) / msPerPixel));
  const from = left(span.fromMs);
  const mark = Math.max(LEAST_MARK, left(span.toMs) - from);
  const slider = (grip: Grip, label: string, at: { readonly left: number; readonly width?: number }) => (
    <div
      className={`brush-${grip}`}
      data-grip={grip}
      data-testid={`brush-${grip}`}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={Math.round(range.fromMs / 1000)}
      aria-valuemax={Math.round(range.toMs / 1000)}
      aria-valuenow={Math.round((grip === 'to' ? span.toMs : span.fromMs) / 1000)}
      aria-valuetext={
        grip === 'whole'
          ? spanWords(span, { nowMs: range.toMs })
          : momentWords(grip === 'to' ? span.toMs : span.fromMs, { nowMs: range.toMs })
      }
      style={at}
      onKeyDown={(event) => {
        const byMs = keyMs(event, span, range);
        if (byMs === undefined) return;
        event.preventDefault();
        onSpan(dragged(span, grip, { byMs: grip === 'whole' ? byMs : byMs / 2, range }));
      }}
    />
  );
  return (
    <div
      className="brush"
      onPointerDown={onPointerDown}
      onPointerMove={(event) => {
        const next = moved(event);
        if (next) onDraft(next);
      }}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
    >
      {slider('whole', 'Span', { left: from, width: mark })}
      {slider('from', 'Begin of the span', { left: from })}
      {slider('to', 'End of the span', { left: from + mark })}
    </div>
  );
}

/** How far a key moves the span: a quarter of it, all of it, to an end. */
function keyMs({ key }: KeyboardEvent, span: Span, range: Span): number | undefined {
  const lengthMs = span.toMs - span.fromMs;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -lengthMs / 4,
    ArrowDown: -lengthMs / 4,
    ArrowRight: lengthMs / 4,
    ArrowUp: lengthMs / 4,
    PageDown: -lengthMs,
    PageUp: lengthMs,
    Home: range.fromMs - span.fromMs,
    End: range.toMs - span.toMs,
  };
  return steps[key];
}
