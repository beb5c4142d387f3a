/** Conditions on rows: which have an IP header, ports, ICMP types. As src/query/filter/read.ts reads records. */
import { FRAGMENTS, hasPorts, isIcmp, NETWORK } from '../flow/index.ts';

const protocolsThat = (test: (protocol: number) => boolean): string =>
  Array.from({ length: 256 }, (_, protocol) => protocol)
    .filter(test)
    .join(', ');

/** Rows of protocols with ports, of whatever network. */
export const WITH_PORTS = `protocol IN (${protocolsThat(hasPorts)})`;

export const IS_IP = `network IN (${NETWORK.ipv4}, ${NETWORK.ipv6})`;

/** A later fragment has neither ports nor ICMP type. */
const SHOWS_TRANSPORT = `${IS_IP} AND fragment <> ${FRAGMENTS.indexOf('fragmentWithoutPorts')}`;

export const HAS_PORTS = `${SHOWS_TRANSPORT} AND ${WITH_PORTS}`;
export const IS_ICMP = `${SHOWS_TRANSPORT} AND protocol IN (${protocolsThat(isIcmp)})`;
