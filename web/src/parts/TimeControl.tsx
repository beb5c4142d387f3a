import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import type { Go } from '../hooks.ts';
import type { Feed } from '../live.ts';
import { agentNowMs } from '../moment.ts';
import type { Place } from '../question.ts';
import {
  LIVE,
  localInput,
  type PastRange,
  parseTimeRange,
  readSpan,
  spanOf,
  stepped,
  type TimeRange,
  writeTimeRange,
  zoomedOut,
} from '../time-range.ts';
import { lengthWords, spanWords, zoneWords } from '../time-words.ts';
import { Choice } from './Choice.tsx';
import { PlaceLink } from './tables.tsx';

const WINDOWS = [
  { value: '5s', label: '5 s', hint: 'The last 5 seconds' },
  { value: '1m', label: '1 min', hint: 'The last minute' },
  { value: 'all', label: 'since start', hint: 'Everything since the agent started' },
] as const;

/** Lengths until now, as they stand in the address. */
const QUICK = ['15m', '1h', '24h', '7d'] as const;

interface TimeProps {
  readonly feed: Feed;
  readonly place: Place;
  readonly go: Go;
}

/** Which time is looked at: a window that slides with the agent, or a part of what it keeps. */
export function TimeControl({ feed, place, go }: TimeProps) {
  const { time } = place;
  const nowMs = feed.newest ? agentNowMs(feed.newest, Date.now()) : Date.now();
  const goTo = (next: TimeRange): void => go({ ...place, time: next });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line by all browsers
    <div className="time" role="group" aria-label="Time">
      <Choice
        legend="Window"
        testId="window"
        options={WINDOWS}
        value={time.kind === 'live' ? place.question.window : undefined}
        onChange={(window) => go({ ...place, time: LIVE, question: { ...place.question, window } })}
      />
      {time.kind !== 'live' && (
        <button
          type="button"
          className="step"
          data-testid="time-back"
          title="Back by its length"
          aria-label="Back by its length"
          onClick={() => goTo(stepped(time, -1, nowMs))}
        >
          <span aria-hidden="true">‹</span>
        </button>
      )}
      <Panel feed={feed} place={place} go={go} nowMs={nowMs} />
      {time.kind !== 'live' && (
        <>
          <button
            type="button"
            className="step"
            data-testid="time-forth"
            title="Forward by its length"
            aria-label="Forward by its length"
            disabled={time.kind === 'last'}
            onClick={() => goTo(stepped(time, 1, nowMs))}
          >
            <span aria-hidden="true">›</span>
          </button>
          <button
            type="button"
            className="step"
            data-testid="time-out"
            title="Twice as long"
            aria-label="Twice as long"
            onClick={() => goTo(zoomedOut(time, nowMs))}
          >
            <span aria-hidden="true">−</span>
          </button>
          <button
            type="button"
            className="step words"
            data-testid="time-now"
            title="Back to the live view"
            onClick={() => goTo(LIVE)}
          >
            Now
          </button>
        </>
      )}
    </div>
  );
}

/** `last 15 min`, `21 Nov 10:00 – 11:00`. */
export function rangeWords(range: PastRange, nowMs: number): string {
  return range.kind === 'last'
    ? `last ${lengthWords(range.ms)}`
    : spanWords({ fromMs: range.fromMs, toMs: range.toMs }, { nowMs });
}

function Panel({ feed, place, go, nowMs }: TimeProps & { readonly nowMs: number }) {
  const { time } = place;
  const [isOpen, setOpen] = useState(false);
  const summary = useRef<HTMLElement>(null);
  const hasHistory = feed.status?.history != null;
  const close = (): void => {
    setOpen(false);
    summary.current?.focus();
  };
  // Escape closes this and does not also leave the view.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    close();
  };
  const goTo: Go = (next) => {
    close();
    go(next);
  };
  return (
    <details
      className={`range${time.kind === 'live' ? '' : ' is-chosen'}`}
      data-testid="time"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={onKeyDown}
    >
      <summary ref={summary} className={hasHistory ? '' : 'quiet'}>
        <span className="range-words">{time.kind === 'live' ? 'Past' : rangeWords(time, nowMs)}</span>
        <span aria-hidden="true" className="fold-sign">
          ▾
        </span>
      </summary>
      {isOpen && (
        <section className="panel time-panel" data-testid="time-panel" aria-label="A part of the past">
          {hasHistory || !feed.status ? (
            <>
              <ul className="quick">
                {QUICK.map((text) => (
                  <li key={text} data-testid={`time-${text}`}>
                    <QuickLink text={text} place={place} go={goTo} />
                  </li>
                ))}
              </ul>
              <SpanForm
                key={time.kind === 'live' ? '' : writeTimeRange(time)}
                nowMs={nowMs}
                range={time.kind === 'live' ? { kind: 'last', ms: 3_600_000 } : time}
                onApply={(range) => goTo({ ...place, time: range })}
              />
            </>
          ) : (
            <NoPast />
          )}
        </section>
      )}
    </details>
  );
}

function QuickLink({ text, place, go }: { readonly text: string; readonly place: Place; readonly go: Go }) {
  const range = parseTimeRange(text) ?? LIVE;
  const { time } = place;
  const isHere = time.kind !== 'live' && writeTimeRange(time) === text;
  const words = range.kind === 'last' ? `last ${lengthWords(range.ms)}` : text;
  return isHere ? (
    <span aria-current="true">{words}</span>
  ) : (
    <PlaceLink to={{ ...place, time: range }} go={go}>
      {words}
    </PlaceLink>
  );
}

/** What could be chosen if something was kept, and how that comes about. */
function NoPast() {
  return (
    <>
      <ul className="quick is-off" aria-hidden="true">
        {QUICK.map((text) => (
          <li key={text}>
            <span>{text}</span>
          </li>
        ))}
      </ul>
      <p>This agent keeps no history, so there is no past to look at. Start it with</p>
      <p>
        <code>--history DIR</code>
      </p>
    </>
  );
}

interface SpanFormProps {
  readonly nowMs: number;
  readonly range: PastRange;
  readonly onApply: (range: PastRange) => void;
}

/** A span by its two ends, on the clocks of the browser. */
function SpanForm({ nowMs, range, onApply }: SpanFormProps) {
  const [words, setWords] = useState(() => {
    const { fromMs, toMs } = spanOf(range, nowMs);
    return { from: localInput(fromMs), to: localInput(toMs) };
  });
  const [fault, setFault] = useState<{ readonly field: 'from' | 'to'; readonly fault: string }>();
  const faultId = useId();
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    const read = readSpan(words, nowMs);
    if ('fault' in read) setFault(read);
    else onApply(read);
  };
  const end = (field: 'from' | 'to', label: string) => (
    <label>
      {label}
      <input
        type="datetime-local"
        step="1"
        data-testid={`time-${field}`}
        value={words[field]}
        aria-invalid={fault?.field === field}
        aria-describedby={fault?.field === field ? faultId : undefined}
        onChange={(event) => {
          setWords({ ...words, [field]: event.target.value });
          setFault(undefined);
        }}
      />
    </label>
  );
  return (
    <form className="span-form" noValidate onSubmit={apply}>
      {end('from', 'From')}
      {end('to', 'To')}
      <button type="submit" data-testid="time-apply">
        Show
      </button>
      {fault && (
        <p id={faultId} className="fault" data-testid="time-fault" role="alert">
          {fault.fault}
        </p>
      )}
      <p>Times of this browser: {zoneWords(nowMs)}.</p>
    </form>
  );
}
