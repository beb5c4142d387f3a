import { asTraffic, type Place } from '../question.ts';
import { PlaceLink } from './tables.tsx';

/** What can be looked at: the views. */
export function Sights({ place, go }: { readonly place: Place; readonly go: (place: Place) => void }) {
  const sights = [
    { sight: 'traffic', words: 'Traffic', to: asTraffic(place) },
    { sight: 'network', words: 'Virtual network', to: { ...place, sight: 'network' } },
  ] as const;
  return (
    <nav className="sights" aria-label="Views" data-testid="sights">
      <ul>
        {sights.map(({ sight, words, to }) => (
          <li key={sight} data-testid={`sight-${sight}`} className={sight === place.sight ? 'chosen' : ''}>
            {sight === place.sight ? (
              <span aria-current="page">{words}</span>
            ) : (
              <PlaceLink to={to} go={go}>
                {words}
              </PlaceLink>
            )}
          </li>
        ))}
      </ul>
    </nav>
  );
}
