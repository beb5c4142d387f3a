import type { ReactNode } from 'react';
import type { Quantity } from '../../../../src/flow/index.ts';
import { Amount } from '../../parts/Amount.tsx';
import { PlaceLink } from '../../parts/tables.tsx';
import type { Place } from '../../question.ts';

/** The few numbers that say how it is. */
export function Figures({ children }: { readonly children: ReactNode }) {
  return <dl className="figures">{children}</dl>;
}

interface FigureProps {
  readonly title: string;
  readonly testId: string;
  /** Undefined as long as it is not known. */
  readonly quantity?: Quantity | undefined;
  /** Instead of a quantity. */
  readonly words?: string | undefined;
  readonly octets?: number | undefined;
  readonly about: string;
  /** Whether it is well, where it could be otherwise. */
  readonly state?: 'exact' | 'coarse' | 'wrong' | undefined;
  /** Where it leads. */
  readonly to?: Place;
  readonly go?: (place: Place) => void;
}

/** One of them: a title, a number, and what it is of. */
export function Figure({ title, testId, quantity, words, octets, about, state, to, go }: FigureProps) {
  return (
    <div className="figure" data-testid={`figure-${testId}`} data-octets={octets}>
      <dt>
        {to && go ? (
          <PlaceLink to={to} go={go}>
            {title}
          </PlaceLink>
        ) : (
          title
        )}
      </dt>
      <dd>
        {quantity ? (
          <Amount quantity={quantity} className="figure-number" />
        ) : words !== undefined ? (
          <span className={`figure-words judged is-${state}`}>
            {state && <span aria-hidden="true">{state === 'exact' ? '✓ ' : '▲ '}</span>}
            {words}
          </span>
        ) : (
          <span className="skeleton" aria-hidden="true" />
        )}
        <span className="figure-about">{about}</span>
      </dd>
    </div>
  );
}
