import type { StreamedView } from '../../../src/query/index.ts';
import { durationWords } from '../freshness.ts';
import { type Place, withFilter } from '../question.ts';
import { segmentName } from '../segments.ts';
import { windowWords } from '../words.ts';
import { PlaceLink } from './tables.tsx';

interface EmptyProps {
  readonly view: StreamedView;
  readonly place: Place;
  readonly go: (place: Place) => void;
}

/** Nothing in the window: what that means, and what to do about it. */
export function Empty({ view, place, go }: EmptyProps) {
  const { question } = view;
  const isNew = view.segments.length === 0;
  const segment = view.segments.find((one) => one.id === question.segment);
  return (
    <div className="empty" data-testid="empty">
      <div className="empty-words">
        <p className="empty-title">
          {view.filter
            ? 'No traffic that fits the filter'
            : question.segment === 'all'
              ? 'No traffic'
              : `${segmentName(question.segment)} is idle`}
        </p>
        {isNew ? (
          <>
            <p>
              The agent is attached and counts, but not one packet has crossed its interfaces yet. To see
              some, run
            </p>
            <p>
              <code>npm run demo</code>
            </p>
            <p className="quiet">It builds a small overlay network on this machine and sends through it.</p>
          </>
        ) : (
          <>
            <p>
              {view.filter
                ? `Nothing that fits “${view.filter.text}” was counted ${windowWords(view)}.`
                : `Nothing was counted ${windowWords(view)}.`}
              {segment &&
                !view.filter &&
                ` Its last packet came ${durationWords(view.atMs - segment.lastSeenMs)} ago.`}
            </p>
            <p className="ways">
              {view.filter && (
                <PlaceLink to={withFilter(place, '')} go={go}>
                  Clear the filter
                </PlaceLink>
              )}
              {question.window !== 'all' && (
                <PlaceLink to={{ ...place, question: { ...question, window: 'all' } }} go={go}>
                  Show all since the start
                </PlaceLink>
              )}
              {question.segment !== 'all' && (
                <PlaceLink to={{ ...place, question: { ...question, segment: 'all' } }} go={go}>
                  Show all segments
                </PlaceLink>
              )}
            </p>
          </>
        )}
      </div>
    </div>
  );
}
