import { useMemo } from 'react';
import type { Quantity } from '../../../../src/flow/index.ts';
import type { StreamedView } from '../../../../src/query/index.ts';
import type { SightProps } from '../../parts/sight.ts';
import { asSight } from '../../question.ts';
import { spanWords } from '../../time-words.ts';
import { pastTrust, rate, trust, windowWords } from '../../words.ts';
import { type Asked, meteredSeconds } from './asked.ts';
import { Figure, Figures } from './Figures.tsx';
import { insideAndOutside } from './questions.ts';

/** The figures of now. */
export function LiveFigures({ view, place, go }: SightProps) {
  const sums = useMemo(() => view && liveSums(view), [view]);
  const judged = view && trust(view.exactness);
  const say = (octets: number) =>
    rate(view && view.windowSeconds > 0 ? octets / view.windowSeconds : 0, place.units);
  const about = view ? windowWords(view) : '';
  return (
    <Figures>
      <BothRates sums={sums} say={say} about={about} />
      <Figure
        title="Segments"
        testId="segments"
        quantity={
          sums && {
            number: `${sums.active}`,
            unit: sums.active === sums.segments ? '' : `of ${sums.segments}`,
          }
        }
        about="carry traffic now"
        to={asSight(place, 'chord')}
        go={go}
      />
      <Figure
        title="Exactness"
        testId="judged"
        words={judged?.words}
        state={judged?.state}
        about={view ? 'since the agent’s start' : ''}
        to={asSight(place, 'exactness')}
        go={go}
      />
    </Figures>
  );
}

function liveSums({ segments }: StreamedView): {
  readonly inside: number;
  readonly outside: number;
  readonly segments: number;
  readonly active: number;
} {
  const outside = segments.find(({ id }) => id === 'none')?.octets ?? 0;
  const tunnels = segments.filter(({ id }) => id !== 'none');
  return {
    inside: tunnels.reduce((sum, { octets }) => sum + octets, 0),
    outside,
    segments: tunnels.length,
    active: tunnels.filter(({ octetRate }) => octetRate > 0).length,
  };
}

/** The figures of a part of the past. */
export function PastFigures({ answers, span, place, go }: Asked) {
  const { table } = answers.segments;
  const sums = useMemo(() => table && insideAndOutside(table), [table]);
  const seconds = meteredSeconds(table);
  const say = (octets: number) => rate(seconds > 0 ? octets / seconds : 0, place.units);
  const about = span ? spanWords(span, { nowMs: Date.now() }) : '';
  const judged = table && span && pastTrust({ ...table, span });
  return (
    <Figures>
      <BothRates sums={sums} say={say} about={about} />
      <Figure
        title="Segments"
        testId="segments"
        quantity={sums && { number: `${sums.segments}`, unit: '' }}
        about="carried traffic"
        to={asSight(place, 'chord')}
        go={go}
      />
      <Figure
        title="Exactness"
        testId="judged"
        words={judged?.words}
        state={judged?.state}
        about="what is in no flow has its reason"
        to={asSight(place, 'exactness')}
        go={go}
      />
    </Figures>
  );
}

interface BothRatesProps {
  readonly sums: { readonly inside: number; readonly outside: number } | undefined;
  readonly say: (octets: number) => Quantity;
  readonly about: string;
}

/** What went through tunnels, and what did not. */
function BothRates({ sums, say, about }: BothRatesProps) {
  return (
    <>
      <Figure
        title="Inside tunnels"
        testId="inside"
        octets={sums?.inside}
        quantity={sums && say(sums.inside)}
        about={about}
      />
      <Figure
        title="Outside tunnels"
        testId="outside"
        octets={sums?.outside}
        quantity={sums && say(sums.outside)}
        about={about}
      />
    </>
  );
}
