import { useMemo } from 'react';
import type { LinkRows } from '../../../src/query/index.ts';
import { useMedia } from '../hooks.ts';
import type { Hover } from '../hover.ts';
import { foldView } from '../layout/fold.ts';
import { placeOfArc, placeOfPair } from '../navigate.ts';
import type { Picture } from '../picture.ts';
import type { List, Place } from '../question.ts';
import type { Paint } from '../segments.ts';
import { Choice } from './Choice.tsx';
import { FlowsTable, NodesTable, PairsTable } from './tables.tsx';

interface SideProps {
  readonly picture: Picture | undefined;
  readonly place: Place;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly hover: Hover | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly go: (place: Place) => void;
}

const NO_LINKS: LinkRows = { segments: [], rows: [] };

/** The picture's twin in numbers: everything, also what the picture folds. */
export function Side({ picture, place, paints, hover, onHover, go }: SideProps) {
  const limit = useMedia('(max-width: 720px)') ? 12 : 60;
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
      {isFlows ? (
        <FlowsTable {...common} />
      ) : place.list === 'pairs' ? (
        <PairsTable {...common} matrix={chosen} placeOf={(pair) => placeOfPair(place, whole, pair)} />
      ) : (
        <NodesTable {...common} matrix={matrix} placeOf={(arc) => placeOfArc(place, picture, arc)} />
      )}
    </section>
  );
}

function ofClient(matrix: Picture['matrix'], client: string): Picture['matrix'] {
  const index = matrix.arcs.findIndex((arc) => arc.id === client);
  return { arcs: matrix.arcs, pairs: matrix.pairs.filter((pair) => pair.a === index || pair.b === index) };
}
