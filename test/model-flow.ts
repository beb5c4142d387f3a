/** The flow that the packet builder's model says, in words: where tshark cannot know it. */
import { hasTunnelId, markName, NETWORK, TUNNEL_COLUMNS, tunnelName } from '../src/flow/index.ts';
import type { Model } from '../src/wire/index.ts';
import type { Flow } from './flow-words.ts';

export function modelFlow(record: Model): Flow {
  const tunnels = TUNNEL_COLUMNS.slice(0, record.tunnelDepth).map(({ kind, id }) => {
    const name = tunnelName(record[kind]);
    return { kind: name, id: hasTunnelId(name) ? record[id] : null };
  });
  const mark = markName(record.markKind);
  const isIp = record.network === NETWORK.ipv4 || record.network === NETWORK.ipv6;
  const isPorted = [6, 17, 33, 132, 136].includes(record.protocol);
  return {
    tunnels,
    outer:
      record.outerNetwork === NETWORK.none
        ? null
        : { source: record.outerSource, destination: record.outerDestination },
    mark: mark === 'none' ? null : { kind: mark, id: record.markId },
    inner: isIp
      ? {
          source: record.source,
          destination: record.destination,
          protocol: record.protocol,
          sourcePort: isPorted ? record.sourcePort : 0,
          destinationPort: isPorted ? record.destinationPort : 0,
        }
      : null,
  };
}
