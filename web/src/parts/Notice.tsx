import { ageMs, durationWords } from '../freshness.ts';
import { useNow } from '../hooks.ts';
import type { Connection, Feed } from '../live.ts';
import { clock } from './Header.tsx';

interface NoticeProps {
  readonly feed: Feed;
  readonly state: string;
  readonly ignored: readonly string[];
  readonly onRetry: () => void;
}

/** What is wrong, what still holds, what to do. Nothing while all is well. */
export function Notice({ feed, state, ignored, onRetry }: NoticeProps) {
  const { connection, newest } = feed;
  if (connection.kind === 'lost' || connection.kind === 'refused' || connection.kind === 'broken') {
    return (
      <div className={`notice is-${connection.kind}`} data-testid="notice" role="alert">
        <p>
          <strong>{TITLES[connection.kind]}</strong> {explain(connection)}
          {newest && ` The figures below are from ${clock(newest.atMs)}.`}
        </p>
        <Retry atMs={connection.retryAtMs} onRetry={onRetry} />
      </div>
    );
  }
  if (state === 'stale' && newest) {
    return (
      <div className="notice is-stale" data-testid="notice" role="status">
        <p>
          <strong>These figures are old.</strong> The agent is connected but has closed no new epoch for{' '}
          <Age feed={feed} />; one is due every {newest.intervalSeconds} s. Its log says why.
        </p>
      </div>
    );
  }
  if (ignored.length > 0) {
    return (
      <div className="notice" data-testid="notice" role="status">
        <p>
          <strong>Part of this address was not understood</strong> and left out: {ignored.join(', ')}.
        </p>
      </div>
    );
  }
  return null;
}

const TITLES = {
  lost: 'Connection lost.',
  refused: 'The agent refused.',
  broken: 'The answer was not understood.',
} as const;

function explain(connection: Connection): string {
  switch (connection.kind) {
    case 'lost':
      return 'The agent cannot be reached; it may have been stopped, or the network between is down.';
    case 'refused':
      return connection.status === 401
        ? 'It wants a token: open the address that the agent printed at its start, which ends in /?token=…'
        : `It said: ${connection.reason}`;
    case 'broken':
      return `Page and agent are perhaps of different versions; reload the page. (${connection.reason})`;
    default:
      return '';
  }
}

function Age({ feed }: { readonly feed: Feed }) {
  const now = useNow(1000);
  return feed.newest ? durationWords(ageMs(feed.newest, now)) : '';
}

function Retry({ atMs, onRetry }: { readonly atMs: number; readonly onRetry: () => void }) {
  const now = useNow(500);
  const seconds = Math.ceil((atMs - now) / 1000);
  return (
    <p className="retry">
      <span aria-hidden="true">{seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again …'}</span>
      <button type="button" onClick={onRetry}>
        Try now
      </button>
    </p>
  );
}
