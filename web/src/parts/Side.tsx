import { lazy, Suspense, useMemo } from 'react';
import type { LinkRows } from '../../../src/query/index.ts';
import { type Go, useMedia } from '../hooks.ts';
import type { Hover } from '../hover.ts';
import { foldView } from '../layout/fold.ts';
import { placeOfArc, placeOfPair } from '../navigate.ts';
import type { ShownPast } from '../past.ts';
import type { Picture } from '../picture.ts';
import type { List, Place } from '../question.ts';
import type { Paint } from '../segments.ts';
import { parseVersus, VERSUS, writeVersus } from '../time-range.ts';
import { Choice } from './Choice.tsx';
import { FlowsTable, NodesTable, PairsTable } from './tables.tsx';

const CompareTable = lazy(() => import('./CompareTable.tsx'));

interface SideProps {
  readonly picture: Picture | undefined;
  /** Undefined while it is live. */
  readonly past: ShownPast | undefined;
  readonly place: Place;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly hover: Hover | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly go: Go;
}

const NO_LINKS: LinkRows = { segments: [], rows: [] };

/** Rows before the rest is asked for: more than a screen has, and each of them is renewed with every update. */
const ROWS = 40;
const FEW_ROWS = 12;

/** The picture's twin in numbers: everything, also what the picture folds. */
export function Side({ picture, past, place, paints, hover, onHover, go }: SideProps) {
  const limit = useMedia('screen and (max-width: 720px)') ? FEW_ROWS : ROWS;
  const view = picture?.view;
  const matrix = useMemo(
    () =>
      view &&
      foldView(
        { nodes: view.nodes, links: place.list === 'pairs' ? view.links : NO_LINKS },
        { limit: Infinity },
      ),
    [view, place.list],
  );
  if (!picture || !view || !matrix) return <section className="side" aria-label="Table" />;
  const isFlows = view.level === 'flows';
  const whole: Picture = { ...picture, matrix };
  const common = { view, units: place.units, paints, limit, hover, onHover, go };
  const options: { value: List; label: string }[] = [
    { value: 'nodes', label: `${view.level === 'hosts' ? 'Hosts' : 'Clients'} ${view.nodes.length}` },
    { value: 'pairs', label: 'Pairs' },
  ];
  const chosen = place.client === undefined ? matrix : ofClient(matrix, place.client);
  const before = past?.before?.view;
  return (
    <section className={isFlows ? 'side' : `side ${place.list}`} aria-label="Table">
      {isFlows ? (
        <p className="side-title">
          Flows <span className="quiet">{view.flows.length}</span>
        </p>
      ) : (
        <Choice
          legend="Table"
          testId="list"
          options={options}
          value={place.list}
          onChange={(list) => go({ ...place, list })}
        />
      )}
      {past && <VersusChoice place={place} go={go} />}
      {isFlows ? (
        <FlowsTable {...common} />
      ) : past?.before && view.past ? (
        before && (
          <Suspense>
            <CompareTable {...common} before={before} list={place.list} />
          </Suspense>
        )
      ) : place.list === 'pairs' ? (
        <PairsTable {...common} matrix={chosen} placeOf={(pair) => placeOfPair(place, whole, pair)} />
      ) : (
        <NodesTable {...common} matrix={matrix} placeOf={(arc) => placeOfArc(place, picture, arc)} />
      )}
    </section>
  );
}

const VERSUS_WORDS = {
  previous: 'the span before',
  yesterday: 'the day before',
  '7d': 'seven days before',
} as const satisfies Record<(typeof VERSUS)[number], string>;

/** With what the span is compared. */
function VersusChoice({ place, go }: { readonly place: Place; readonly go: Go }) {
  const value = place.vs === undefined ? '' : writeVersus(place.vs);
  return (
    <label className="versus">
      Compare with{' '}
      <select
        data-testid="versus"
        value={value}
        onChange={(event) => go({ ...place, vs: parseVersus(event.target.value) })}
      >
        <option value="">nothing</option>
        {VERSUS.map((each) => (
          <option key={each} value={each}>
            {VERSUS_WORDS[each]}
          </option>
        ))}
        {typeof place.vs === 'object' && <option value={value}>another span</option>}
      </select>
    </label>
  );
}

function ofClient(matrix: Picture['matrix'], client: string): Picture['matrix'] {
  const index = matrix.arcs.findIndex((arc) => arc.id === client);
  return { arcs: matrix.arcs, pairs: matrix.pairs.filter((pair) => pair.a === index || pair.b === index) };
}
