import { useState } from 'react';
import type { Status, StreamedView } from '../../../src/query/index.ts';
import { ageMs, durationWords } from '../freshness.ts';
import { type Go, useNow } from '../hooks.ts';
import type { Feed } from '../live.ts';
import { agentNowMs } from '../moment.ts';
import type { Place, Units } from '../question.ts';
import { applyTheme, storedTheme, type Theme } from '../theme.ts';
import { AlertsMenu } from './AlertsMenu.tsx';
import { Choice } from './Choice.tsx';
import { FilterField } from './FilterField.tsx';
import { PaperHead } from './PaperHead.tsx';
import { TimeControl } from './TimeControl.tsx';
import { TrustGauge } from './TrustGauge.tsx';

interface HeaderProps {
  readonly feed: Feed;
  /** Of the live view, and what the page shows. */
  readonly view: StreamedView | undefined;
  readonly shown: StreamedView | undefined;
  readonly place: Place;
  readonly state: string;
  readonly isPaused: boolean;
  readonly onPause: () => void;
  readonly go: Go;
  readonly onUnits: (units: Units) => void;
  readonly onFilter: (filter: string) => void;
}

const UNIT_OPTIONS = [
  { value: 'octets', label: 'octets', hint: 'Octets in the window' },
  { value: 'rate', label: 'bit/s', hint: 'Bits per second, mean over the window' },
] as const;

/** Name, filter, time range, pause, units, exactness, light or dark. */
export function Header(props: HeaderProps) {
  const { feed, view, place, state, isPaused, onPause, go, onUnits } = props;
  const { status } = feed;
  const where = status && placeWords(status);
  const now = feed.newest ? agentNowMs(feed.newest, Date.now()) : Date.now();
  return (
    <header>
      <PaperHead place={place} status={status} view={view} nowMs={now} />
      <h1>
        <Mark />
        Tunnelscope
        {status && (
          <span
            className="where"
            data-testid="where"
            title={status.interfaces.map((one) => one.name).join(', ')}
          >
            {status.hostname}
            {where && <span className="quiet"> · {where}</span>}
          </span>
        )}
      </h1>
      <FilterField
        applied={place.question.filter ?? ''}
        view={props.shown}
        hasHistory={status?.history != null}
        onApply={props.onFilter}
      />
      <div className="controls">
        {place.sight !== 'network' && (
          <>
            <TimeControl feed={feed} place={place} go={go} />
            <Choice
              legend="Units"
              testId="units"
              options={UNIT_OPTIONS}
              value={place.units}
              onChange={onUnits}
            />
          </>
        )}
        <button
          type="button"
          className="pause"
          data-testid="pause"
          title={isPaused ? 'Resume' : 'Pause'}
          aria-pressed={isPaused}
          onClick={onPause}
        >
          <span aria-hidden="true" className="pause-sign">
            {isPaused ? '▶' : '❚❚'}
          </span>
          <span className="pause-words">{isPaused ? 'Resume' : 'Pause'}</span>
        </button>
        <Connection feed={feed} view={view} state={state} isPast={place.time.kind !== 'live'} />
      </div>
      <div className="controls">
        <AlertsMenu place={place} go={go} />
        {view && <TrustGauge exactness={view.exactness} epoch={view.epoch} />}
        <ThemeSwitch />
      </div>
    </header>
  );
}

/** Interfaces named before the rest is only counted. */
const NAMED = 3;

/** Where the agent looks: its namespace and interfaces. */
function placeWords({ namespace, interfaces }: Status): string {
  const names = interfaces.slice(0, NAMED).map((one) => one.name);
  const more = interfaces.length - names.length;
  return [namespace ?? '', ...names, more > 0 ? `${more} more` : ''].filter(Boolean).join(', ');
}

function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <circle cx="16" cy="16" r="12.5" className="mark-ring" strokeDasharray="30 3 24 3 15.5 3" />
      <path d="M7 11C14 15 18 15 26 13" className="mark-one" />
      <path d="M12 26C14 18 19 17 25 21" className="mark-two" />
    </svg>
  );
}

const SIGNS: Readonly<Record<string, string>> = { open: '●', paused: '❚❚', stale: '▲', connecting: '○' };

/** One word for the state of the figures. The colour is never alone. */
function Connection({
  feed,
  view,
  state,
  isPast,
}: {
  readonly feed: Feed;
  readonly view: StreamedView | undefined;
  readonly state: string;
  readonly isPast: boolean;
}) {
  const now = useNow(state === 'stale' ? 1000 : undefined);
  const age = feed.newest ? durationWords(ageMs(feed.newest, now)) : '';
  const words: Record<string, string> = {
    open: isPast ? 'past' : view?.isRecorded ? 'recorded' : 'live',
    paused: `paused since ${view && state === 'paused' ? clock(view.atMs) : 'now'}`,
    stale: `stale for ${age}`,
    connecting: 'connecting',
    lost: 'connection lost',
    refused: 'refused',
    broken: 'not understood',
  };
  return (
    <span className={`connection is-${state}`} data-testid="connection" data-state={state}>
      <span aria-hidden="true" className="sign">
        {SIGNS[state] ?? '✕'}
      </span>
      {words[state] ?? state}
    </span>
  );
}

/** Time of day, to the second. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const THEME_SIGNS: Readonly<Record<Theme, string>> = { system: '◐', light: '○', dark: '●' };

function ThemeSwitch() {
  const [theme, setTheme] = useState(storedTheme);
  const next = NEXT[theme];
  return (
    <button
      type="button"
      className="theme"
      data-testid="theme"
      data-theme-choice={theme}
      title={`Colours: ${theme}. Click for ${next}.`}
      aria-label={`Colours: ${theme}. Change to ${next}.`}
      onClick={() => {
        applyTheme(next);
        setTheme(next);
      }}
    >
      <span aria-hidden="true">{THEME_SIGNS[theme]}</span>
    </button>
  );
}
