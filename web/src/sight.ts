/** Values that are in sight, for a filter that is being typed. */
import type { KnownValues, StreamedView } from '../../src/query/index.ts';

/** Values of one field. */
const MOST_VALUES = 20;

/** What a view shows, by the fields that it is a value of; what carries most comes first, as in the view. */
export function valuesIn({ level, segments, nodes, flows }: StreamedView): KnownValues {
  const most = (values: readonly (string | number | null)[]): string[] =>
    [...new Set(values.filter((value) => value !== null).map(String))].slice(0, MOST_VALUES);
  const ends = most(nodes.map(({ address }) => address));
  const inner = level === 'hosts' ? [] : ends;
  const outer = level === 'hosts' ? ends : [];
  const ids = most(segments.toSorted((a, b) => b.octetRate - a.octetRate).map(({ tunnelId }) => tunnelId));
  const from = most([...inner, ...flows.map(({ source }) => source)]);
  const to = most([...inner, ...flows.map(({ destination }) => destination)]);
  const sourcePorts = most(flows.map(({ sourcePort }) => sourcePort));
  const destinationPorts = most(flows.map(({ destinationPort }) => destinationPort));
  return {
    src: from,
    dst: to,
    host: most([...from, ...to]),
    'outer.src': outer,
    'outer.dst': outer,
    'outer.host': outer,
    vni: ids,
    sport: sourcePorts,
    dport: destinationPorts,
    port: most([...destinationPorts, ...sourcePorts]),
  };
}
