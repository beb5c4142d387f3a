/** Rates of virtual networks, from two answers that follow each other: what they say themselves are counts since they were set up. */
import type { Count, VirtualNetwork, VirtualRate, VirtualTraffic } from '../query/index.ts';

/** An older answer says nothing of now. */
const LONGEST_MS = 10_000;

/**
 * The answers with rates, where the one before is there, young, and of the same process. A count that fell belongs to
 * something set up anew: it has no rate.
 */
export function ratedNetworks(
  before: readonly VirtualNetwork[],
  now: readonly VirtualNetwork[],
): VirtualNetwork[] {
  const byName = new Map(before.map((each) => [each.name, each]));
  return now.map((each) => {
    const former = byName.get(each.name);
    if (former?.kind !== each.kind || former.startedMs !== each.startedMs) return each;
    const ms = each.nowMs - former.nowMs;
    return ms > 0 && ms <= LONGEST_MS ? rated(former, each, ms / 1000) : each;
  });
}

function rated(before: VirtualNetwork, now: VirtualNetwork, seconds: number): VirtualNetwork {
  if (now.kind === 'bridge' && before.kind === 'bridge') {
    return {
      ...now,
      ports: withRates(before.ports, now.ports, { seconds, id: (port) => `${port.vni} ${port.ifindex}` }),
      peers: withRates(before.peers, now.peers, { seconds, id: (peer) => `${peer.vni} ${peer.address}` }),
      entries: withRates(before.entries, now.entries, {
        seconds,
        id: (entry) => `${entry.vni} ${entry.mac}`,
      }),
    };
  }
  if (now.kind === 'gateway' && before.kind === 'gateway') {
    return {
      ...now,
      clients: withRates(before.clients, now.clients, { seconds, id: ({ mac }) => mac }),
    };
  }
  if (now.kind === 'relay' && before.kind === 'relay') {
    const former = new Map(before.cables.map((cable) => [`${cable.from} ${cable.to}`, cable]));
    return {
      ...now,
      cables: now.cables.map((cable) => {
        const last = former.get(`${cable.from} ${cable.to}`);
        const rate = last && rateOf(sumOf(last.counts), sumOf(cable.counts), seconds);
        return rate ? { ...cable, rate } : cable;
      }),
    };
  }
  return now;
}

function withRates<Row extends VirtualTraffic>(
  before: readonly Row[],
  now: readonly Row[],
  { seconds, id }: { readonly seconds: number; readonly id: (row: Row) => string },
): Row[] {
  const former = new Map(before.map((row) => [id(row), row]));
  return now.map((row) => {
    const last = former.get(id(row));
    const received = last && rateOf(last.received, row.received, seconds);
    const sent = last && rateOf(last.sent, row.sent, seconds);
    return received && sent ? { ...row, rates: { received, sent } } : row;
  });
}

function rateOf(before: Count, now: Count, seconds: number): VirtualRate | undefined {
  const packets = now.packets - before.packets;
  const octets = now.octets - before.octets;
  if (packets < 0 || octets < 0) return undefined;
  return { packetRate: packets / seconds, octetRate: octets / seconds };
}

function sumOf(counts: Readonly<Record<string, Count>>): Count {
  const sum = { packets: 0, octets: 0 };
  for (const { packets, octets } of Object.values(counts)) {
    sum.packets += packets;
    sum.octets += octets;
  }
  return sum;
}
