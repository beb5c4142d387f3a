import type { ReactNode } from 'react';
import type { Place } from '../question.ts';
import { AddressName, SegmentName } from './Named.tsx';
import { PlaceLink } from './tables.tsx';

/** The way from all hosts to here; each step leads back. */
export function Breadcrumb({ place, go }: { readonly place: Place; readonly go: (place: Place) => void }) {
  const { host, pair, ...rest } = place.question;
  const top: Place = { ...place, from: 0, client: undefined, question: rest };
  const steps: { key: string; words: ReactNode; to: Place }[] = [{ key: 'all', words: 'All hosts', to: top }];
  const inHost: Place = host === undefined ? top : { ...top, question: { ...rest, host } };
  if (host !== undefined) steps.push({ key: host, words: <AddressName address={host} />, to: inHost });
  if (place.from > 0) steps.push({ key: 'others', words: 'Others', to: { ...inHost, from: place.from } });
  if (place.client !== undefined)
    steps.push({ key: place.client, words: <Node id={place.client} />, to: place });
  if (pair !== undefined) steps.push({ key: pair, words: <Ends pair={pair} />, to: place });
  return (
    <nav className="breadcrumb" aria-label="Level" data-testid="breadcrumb">
      <ol>
        {steps.map((step, index) => (
          <li key={step.key}>
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
function Node({ id }: { readonly id: string }) {
  const slash = id.indexOf('/');
  if (slash < 0) return <AddressName address={id} />;
  return (
    <span className="mono">
      <AddressName address={id.slice(slash + 1)} /> (<SegmentName segment={id.slice(0, slash)} />)
    </span>
  );
}

/** Both ends; their segment once, for it is the same. */
function Ends({ pair }: { readonly pair: string }) {
  const [a = '', b = ''] = pair.split('~');
  const segment = a.slice(0, Math.max(0, a.indexOf('/')));
  if (segment === '' || !b.startsWith(`${segment}/`))
    return (
      <span className="mono">
        <Node id={a} /> ⇄ <Node id={b} />
      </span>
    );
  return (
    <span className="mono">
      <AddressName address={a.slice(segment.length + 1)} /> ⇄{' '}
      <AddressName address={b.slice(segment.length + 1)} /> (<SegmentName segment={segment} />)
    </span>
  );
}
