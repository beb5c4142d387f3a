import type { Place } from '../question.ts';
import { segmentName } from '../segments.ts';
import { PlaceLink } from './tables.tsx';

/** The way from all hosts to here; each step leads back. */
export function Breadcrumb({ place, go }: { readonly place: Place; readonly go: (place: Place) => void }) {
  const { host, pair, ...rest } = place.question;
  const top: Place = { ...place, from: 0, client: undefined, question: rest };
  const steps: { words: string; to: Place; mono?: boolean }[] = [{ words: 'All hosts', to: top }];
  const inHost: Place = host === undefined ? top : { ...top, question: { ...rest, host } };
  if (host !== undefined) steps.push({ words: host, to: inHost, mono: true });
  if (place.from > 0) steps.push({ words: 'Others', to: { ...inHost, from: place.from } });
  if (place.client !== undefined) steps.push({ words: nodeWords(place.client), to: place, mono: true });
  if (pair !== undefined) steps.push({ words: pairWords(pair), to: place, mono: true });
  return (
    <nav className="breadcrumb" aria-label="Level" data-testid="breadcrumb">
      <ol>
        {steps.map((step, index) => (
          <li key={step.words} className={step.mono ? 'mono' : ''}>
            {index === steps.length - 1 ? (
              <span aria-current="page">{step.words}</span>
            ) : (
              <PlaceLink to={step.to} go={go}>
                {step.words}
              </PlaceLink>
            )}
          </li>
        ))}
      </ol>
      {steps.length > 1 && <kbd title="Escape goes one level up">Esc</kbd>}
    </nav>
  );
}

/** A node id as people read it: its address, and its segment if it has one. */
function nodeWords(id: string): string {
  const slash = id.indexOf('/');
  return slash < 0 ? id : `${id.slice(slash + 1)} (${segmentName(id.slice(0, slash))})`;
}

/** Both ends; their segment once, for it is the same. */
function pairWords(pair: string): string {
  const [a = '', b = ''] = pair.split('~');
  const segment = a.slice(0, Math.max(0, a.indexOf('/')));
  if (segment === '' || !b.startsWith(`${segment}/`)) return `${nodeWords(a)} ⇄ ${nodeWords(b)}`;
  return `${a.slice(segment.length + 1)} ⇄ ${b.slice(segment.length + 1)} (${segmentName(segment)})`;
}
