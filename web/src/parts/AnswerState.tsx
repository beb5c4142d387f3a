import type { ReactNode } from 'react';
import type { KnownAnswer } from '../answers.ts';
import { type Place, withFilter } from '../question.ts';
import { LIVE } from '../time-range.ts';
import { PlaceLink } from './tables.tsx';

interface AnswerStateProps {
  readonly known: KnownAnswer;
  readonly place: Place;
  readonly go: (place: Place) => void;
  /** What there is none of, when the answer is empty: `flows`. */
  readonly what: string;
  /** What an empty answer means, where it is not that nothing was counted in this time. */
  readonly empty?: string;
  /** What to do about a refusal that is not that there is no history. */
  readonly remedy?: string;
  readonly children: ReactNode;
}

/** The answer, or what stands in its place: that it is asked for, that there is nothing, or what went wrong and what to do. */
export function AnswerState({ known, place, go, what, empty, remedy, children }: AnswerStateProps) {
  const { table, problem, isAsking } = known;
  return (
    <>
      {problem && (
        <p className="problem" role="alert" data-testid="answer-problem" data-status={problem.status}>
          ✕ {problem.status === 0 ? 'The agent cannot be reached' : problem.message.replace(/\.$/, '')}.{' '}
          {remedy ?? remedyOf(problem)}{' '}
          {remedy === undefined && problem.status === 404 && place.time.kind !== 'live' && (
            <PlaceLink to={{ ...place, time: LIVE }} go={go}>
              Show what is now
            </PlaceLink>
          )}
          {table && ' Below stands the last answer.'}
        </p>
      )}
      {table && isAsking && (
        <p className="asking" data-testid="asking">
          Asking …
        </p>
      )}
      {table === undefined ? (
        !problem && <Skeleton />
      ) : table.rows.length === 0 && !isAsking ? (
        <NoRows place={place} go={go} what={what} empty={empty} />
      ) : (
        children
      )}
    </>
  );
}

function remedyOf({
  status,
  remedy,
}: {
  readonly status: number;
  readonly remedy: string | undefined;
}): string {
  if (status === 404)
    return 'Give the agent a place to keep what it meters: tunnelscope start --history DIRECTORY.';
  if (status === 0) return 'It is asked again.';
  return remedy ?? '';
}

/** Lines where rows will be. */
function Skeleton() {
  return (
    <div className="skeleton" aria-busy="true" data-testid="skeleton">
      <p className="unseen">Asking the agent …</p>
      {Array.from({ length: 12 }, (_, nth) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines that are all the same
        <span key={nth} aria-hidden="true" />
      ))}
    </div>
  );
}

function NoRows({
  place,
  go,
  what,
  empty,
}: Pick<AnswerStateProps, 'place' | 'go' | 'what'> & { readonly empty: string | undefined }) {
  const { filter, segment, window } = place.question;
  const { host: _, pair: __, ...question } = place.question;
  const isDrilled = place.question.host !== undefined || place.question.pair !== undefined;
  return (
    <div className="empty" data-testid="no-rows">
      <div className="empty-words">
        <p className="empty-title">
          No {what}
          {filter === undefined ? '' : ' that fit the filter'}
        </p>
        <p>
          {empty ??
            `Nothing was counted in this time${segment === 'all' ? '' : ' in this segment'}. A longer time may have some.`}
        </p>
        <p className="ways">
          {filter !== undefined && (
            <PlaceLink to={withFilter(place, '')} go={go}>
              Clear the filter
            </PlaceLink>
          )}
          {segment !== 'all' && (
            <PlaceLink to={{ ...place, question: { ...place.question, segment: 'all' } }} go={go}>
              Show all segments
            </PlaceLink>
          )}
          {isDrilled && (
            <PlaceLink to={{ ...place, question }} go={go}>
              Show all hosts
            </PlaceLink>
          )}
          {place.time.kind === 'live' && window !== 'all' && (
            <PlaceLink to={{ ...place, question: { ...place.question, window: 'all' } }} go={go}>
              Show all since the start
            </PlaceLink>
          )}
        </p>
      </div>
    </div>
  );
}
