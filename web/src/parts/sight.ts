/** What every view is given, and which views there are. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import type { StreamedView } from '../../../src/query/index.ts';
import type { Go } from '../hooks.ts';
import type { Feed } from '../live.ts';
import type { Place, Sight } from '../question.ts';
import type { Paint } from '../segments.ts';

/** What a view is given. */
export interface SightProps {
  readonly place: Place;
  readonly go: Go;
  /** The live view's newest answer, or the one that was held; of the whole host it has segments, exactness and history. */
  readonly view: StreamedView | undefined;
  readonly feed: Feed;
  readonly isPaused: boolean;
  readonly paints: ReadonlyMap<string, Paint>;
}

/** A view of the rail beside the chord. */
export interface SightEntry {
  /** In the rail. */
  readonly words: string;
  /** Loaded when somebody looks: the first diagram does not wait for it. */
  readonly View?: LazyExoticComponent<ComponentType<SightProps>>;
}

/** Makes a view that is loaded when it is looked at. */
export function lazily(
  load: () => Promise<{ readonly default: ComponentType<SightProps> }>,
): LazyExoticComponent<ComponentType<SightProps>> {
  return lazy(load);
}

/** The views, in the order of the rail. The chord and the virtual networks are drawn by the page itself. */
export const SIGHT_ENTRIES: Readonly<Partial<Record<Sight, SightEntry>>> = {
  overview: { words: 'Overview', View: lazily(() => import('../sights/overview/Overview.tsx')) },
  chord: { words: 'Chord' },
  tunnels: { words: 'Tunnels', View: lazily(() => import('../sights/tunnels/Tunnels.tsx')) },
  flows: { words: 'Flows', View: lazily(() => import('../sights/flows/Flows.tsx')) },
  connections: {
    words: 'Connections',
    View: lazily(() => import('../sights/connections/Connections.tsx')),
  },
  hosts: { words: 'Hosts', View: lazily(() => import('../sights/hosts/Hosts.tsx')) },
  network: { words: 'Virtual network' },
  exactness: { words: 'Exactness', View: lazily(() => import('../sights/exactness/Exactness.tsx')) },
};
