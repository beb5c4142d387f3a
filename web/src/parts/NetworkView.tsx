import { useMemo } from 'react';
import { useMedia } from '../hooks.ts';
import { learnedMacs, outcomeRows, portRows } from '../learned.ts';
import { useNaming } from '../naming.ts';
import { networkGraph, segmentsOf } from '../network.ts';
import { cardAddresses, cardTitle, namedGraph } from '../network-names.ts';
import { networkHeadline } from '../network-words.ts';
import type { KnownNetworks } from '../networks.ts';
import type { NetworkList, Place } from '../question.ts';
import { paintSegments } from '../segments.ts';
import { Choice } from './Choice.tsx';
import { Graph } from './Graph.tsx';
import { clock } from './Header.tsx';
import { LinksTable, MacsTable, OutcomesTable, PortsTable } from './network-tables.tsx';
import { PlaceLink } from './tables.tsx';

interface NetworkProps {
  readonly known: KnownNetworks;
  /** Segments that the agent has seen, joined by blanks: those have their colours already. */
  readonly seen: string;
  readonly place: Place;
  /** Pointed at elsewhere. */
  readonly pointed: string | undefined;
  readonly go: (place: Place) => void;
}

/** The virtual networks of the agent's machine: graph, and tables beside it. */
export function NetworkView({ known, seen, place, pointed, go }: NetworkProps) {
  const { answer, problem } = known;
  const limit = useMedia('screen and (max-width: 720px)') ? 12 : 60;
  const functions = answer?.functions ?? [];
  const plain = networkGraph({ functions });
  const naming = useNaming(cardAddresses(plain), segmentsOf(functions));
  const graph = namedGraph(plain, naming);
  const ids = [...seen.split(' '), ...segmentsOf(functions)].filter(Boolean).sort().join(' ');
  const paints = useMemo(() => paintSegments([...new Set(ids.split(' ').filter(Boolean))]), [ids]);
  const chosen = place.question.segment;
  const segment = pointed ?? (chosen === 'all' ? undefined : chosen);
  const titles = new Map(graph.cards.map(({ id, title }) => [id, title]));
  const shown = new Map(graph.cards.map((card) => [card.id, cardTitle(card)]));
  const macs = learnedMacs(functions, place.at);
  const cut = functions.filter((each) => each.kind === 'bridge').filter((bridge) => bridge.entriesLeftOut);
  const tables = { place, paints, limit, go };
  const options: { value: NetworkList; label: string }[] = [
    { value: 'macs', label: `MACs ${macs.length}${cut.length > 0 ? '+' : ''}` },
    { value: 'links', label: 'Links' },
    { value: 'ports', label: 'Ports' },
    { value: 'outcomes', label: 'Outcomes' },
  ];
  return (
    <>
      <section className="picture network" aria-label="Virtual network" data-testid="network">
        <div className="above">
          <p className="headline" data-testid="network-headline">
            {!answer
              ? problem === undefined
                ? 'Asking the agent …'
                : 'Nothing to show yet.'
              : functions.length === 0
                ? 'No virtual network runs on this machine.'
                : networkHeadline(answer, graph)}
          </p>
          {place.at !== undefined && (
            <p className="breadcrumb">
              <PlaceLink to={{ ...place, at: undefined }} go={go}>
                All hosts
              </PlaceLink>
              <span>› {shown.get(place.at) ?? place.at}</span>
              <kbd title="Escape shows all hosts again">Esc</kbd>
            </p>
          )}
          {problem !== undefined && (
            <p className="problem" role="status" data-testid="network-problem">
              ✕ No new figures: {problem.message.replace(/\.$/, '')}.
              {answer && ` Those below are from ${clock(answer.nowMs)}.`} It is asked again every second.
            </p>
          )}
          {answer?.unanswered.map(({ name, reason }) => (
            <p key={name} className="problem" role="status" data-testid="unanswered">
              ▲ Not shown: {reason}
            </p>
          ))}
        </div>
        {answer && functions.length === 0 ? (
          <NoNetwork />
        ) : (
          <Graph graph={graph} place={place} paints={paints} segment={segment} go={go} />
        )}
      </section>
      <section className={`side ${place.networkList}`} aria-label="Table">
        <Choice
          legend="Table"
          testId="network-list"
          options={options}
          value={place.networkList}
          onChange={(networkList) => go({ ...place, networkList })}
        />
        {place.networkList === 'macs' && <MacsTable {...tables} rows={macs} titles={titles} shown={shown} />}
        {place.networkList === 'macs' &&
          cut.map(({ name, entries, entriesLeftOut = 0 }) => (
            <p key={name} className="note" data-testid="cut">
              {name} has {entries.length + entriesLeftOut} addresses. Shown of it are {entries.length}: those
              behind its ports, then those heard of last. /api/v1/vnet has all.
            </p>
          ))}
        {place.networkList === 'links' && <LinksTable {...tables} graph={graph} />}
        {place.networkList === 'ports' && (
          <PortsTable {...tables} rows={portRows(functions, place.at)} titles={shown} />
        )}
        {place.networkList === 'outcomes' && (
          <OutcomesTable {...tables} rows={outcomeRows(functions, place.at)} />
        )}
      </section>
    </>
  );
}

/** What it means that there is none, and how to have one. */
function NoNetwork() {
  return (
    <div className="graph-frame">
      <div className="empty" data-testid="network-empty">
        <div className="empty-words">
          <p className="empty-title">No virtual network</p>
          <p>
            Bridges, gateways and relays in BPF that run on this machine are drawn here, with what they
            learned and forward. None runs now. To see one, run
          </p>
          <p>
            <code>tunnelscope demo bridge-mesh</code>
          </p>
          <p className="quiet">It builds hosts with bridges between them and sends through these.</p>
        </div>
      </div>
    </div>
  );
}
