import { linkRows, type StreamedView } from '../../../src/query/index.ts';

/** A link to build from: who, to whom, octets, segment. */
export type SampleLink = readonly [from: string, to: string, octets: number, segment?: string];

/** Nodes and links for tests of the layout; nodes stand as the agent sorts them. */
export function viewOf(
  names: readonly string[],
  links: readonly SampleLink[],
): Pick<StreamedView, 'nodes' | 'links'> {
  const nodes = names.map((name) => {
    const sum = (end: 0 | 1): number =>
      links.reduce((octets, link) => octets + (link[end] === name ? link[2] : 0), 0);
    const count = (octets: number): { octets: number; packets: number } => ({ octets, packets: 1 });
    return { id: name, address: name, segment: null, sent: count(sum(0)), received: count(sum(1)) };
  });
  nodes.sort((x, y) => y.sent.octets + y.received.octets - x.sent.octets - x.received.octets);
  const index = (name: string): number => nodes.findIndex((node) => node.id === name);
  return {
    nodes,
    links: linkRows(
      links.map(([from, to, octets, segment = 'none']) => ({
        source: index(from),
        target: index(to),
        octets,
        packets: 1,
        parts: [{ segment, octets, packets: 1 }],
      })),
    ),
  };
}
