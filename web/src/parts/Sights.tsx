import { useLayoutEffect, useRef } from 'react';
import { asSight, type Place, type Sight } from '../question.ts';
import { SIGHT_ENTRIES, type SightEntry } from './sight.ts';
import { PlaceLink } from './tables.tsx';

/** What can be looked at: the views. */
export function Sights({ place, go }: { readonly place: Place; readonly go: (place: Place) => void }) {
  const nav = useRef<HTMLElement>(null);
  // On a phone they stand in a line that is wider than the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen one is another with each view
  useLayoutEffect(() => {
    const chosen = nav.current!.querySelector<HTMLElement>('.chosen')!;
    nav.current!.scrollLeft = chosen.offsetLeft - (nav.current!.clientWidth - chosen.offsetWidth) / 2;
  }, [place.sight]);
  return (
    <nav ref={nav} className="sights" aria-label="Views" data-testid="sights">
      <ul>
        {(Object.entries(SIGHT_ENTRIES) as [Sight, SightEntry][]).map(([sight, { words }]) => (
          <li key={sight} data-testid={`sight-${sight}`} className={sight === place.sight ? 'chosen' : ''}>
            {sight === place.sight ? (
              <span aria-current="page">{words}</span>
            ) : (
              <PlaceLink to={asSight(place, sight)} go={go}>
                {words}
              </PlaceLink>
            )}
          </li>
        ))}
      </ul>
    </nav>
  );
}
