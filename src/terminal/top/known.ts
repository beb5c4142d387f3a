/** Values in sight, by the fields of a filter that they are values of. */
import type { KnownValues } from '../../query/index.ts';
import type { Answers } from './answers.ts';
import { isAddress } from './list-hosts.ts';
import { endOf } from './names.ts';

/** Values of one field that are suggested. */
const MOST = 20;

/** What carries most comes first, as in the list. */
export function knownValues({ view, listing }: Answers): KnownValues {
  const rows = listing?.rows ?? [];
  const cells = (...names: readonly string[]): string[] =>
    rows.flatMap(({ cells: all }) => names.map((name) => String(all[name] ?? '')));
  const most = (values: readonly string[]): string[] => [...new Set(values)].slice(0, MOST);
  const addresses = (values: readonly string[]): string[] =>
    most(values.map((value) => endOf(value).address).filter(isAddress));
  const ports = (values: readonly string[]): string[] =>
    most(values.map((value) => endOf(value).port).filter((port) => port !== ''));
  const nodes = view?.nodes.map(({ address }) => address) ?? [];
  const isHosts = view?.level === 'hosts';
  const [inner, outer] = isHosts ? [[], nodes] : [nodes, []];
  const ids = (view?.segments ?? [])
    .toSorted((a, b) => b.octetRate - a.octetRate)
    .flatMap(({ tunnelId }) => (tunnelId === null ? [] : [String(tunnelId)]));
  const [sources, destinations] = [cells('source'), cells('destination')];
  return {
    src: addresses([...sources, ...inner]),
    dst: addresses([...destinations, ...inner]),
    host: addresses([...sources, ...destinations, ...inner]),
    'outer.src': addresses([...cells('outer.src'), ...outer]),
    'outer.dst': addresses([...cells('outer.dst'), ...outer]),
    'outer.host': addresses([...cells('outer.src', 'outer.dst'), ...outer]),
    vni: most(ids),
    sport: ports(sources),
    dport: ports(destinations),
    port: ports([...destinations, ...sources]),
  };
}
