/** Why a packet is in no flow, in words, and what to do about it: what the page says and docs/ledger.md lists. */

/** A reason of the ledger, explained. */
export interface ReasonWords {
  readonly why: string;
  readonly remedy: string;
}

const WORDS: Readonly<Record<string, ReasonWords>> = {
  excluded: {
    why: 'It fits none of the rules of what is kept.',
    remedy: 'Change the rules if it should be kept: tunnelscope rules.',
  },
  overflow_full: {
    why: 'More flows and tunnels passed in an epoch than there was room for, even without their detail.',
    remedy: 'Give more room with --flows, or make epochs shorter with --interval.',
  },
  history_dropped: {
    why: 'It was metered, but the history had no room to keep its epoch.',
    remedy: 'Make room on the disk, or allow more to wait: history.spool. The log says since when.',
  },
  link_unknown: {
    why: 'The capture has frames of a kind that is not read.',
    remedy: 'Capture on an Ethernet or IP interface.',
  },
  header_offset: {
    why: 'Its innermost header begins deeper in the frame than is looked.',
    remedy: 'Nothing of this host: such packets are unusual; capture one to see what it is.',
  },
  tunnel_depth: {
    why: 'It is in more tunnels, one inside the other, than are told apart.',
    remedy: 'Look for a loop: a tunnel whose packets go into itself.',
  },
  gtp_extension: {
    why: 'Its GTP header has an extension that is not well-formed.',
    remedy: 'Capture one, and look at who sends it.',
  },
};

/** Protocols that are not written in capitals. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  link: 'link-layer',
  ethernet: 'Ethernet',
  ipv4: 'IPv4',
  ipv6: 'IPv6',
  ports: 'DCCP or UDP-Lite',
  etherip: 'EtherIP',
  pppoe: 'PPPoE',
};

const SPOILT = 'Its sender, or a device between, spoils packets: capture one, and look at who sends it.';

/** Endings of reasons: what is wrong with a header. */
const ENDINGS: readonly (readonly [ending: string, words: (what: string) => ReasonWords])[] = [
  [
    'truncated',
    (what) => ({
      why: `The packet ends in the midst of its ${what} header.`,
      remedy: `Of a capture: capture whole packets. Else: ${SPOILT[0]!.toLowerCase()}${SPOILT.slice(1)}`,
    }),
  ],
  [
    'version',
    (what) => ({ why: `It says to be ${what}, and its header has another version.`, remedy: SPOILT }),
  ],
  [
    'depth',
    (what) => ({
      why: `It has more ${what} headers, one after the other, than are read.`,
      remedy: 'Such packets are unusual: capture one, and look at who sends it.',
    }),
  ],
  ['length', (what) => ({ why: `Its ${what} length cannot be true.`, remedy: SPOILT })],
];

/** Every reason there is: those of the parser in the order of its headers, then those of who keeps. */
export const LEDGER_REASONS: readonly string[] = [
  ...[
    'link_unknown',
    'link_truncated',
    'ethernet_truncated',
    'vlan_truncated',
    'vlan_depth',
    'arp_truncated',
  ],
  ...['ipv4_truncated', 'ipv4_version', 'ipv4_header_length', 'ipv4_total_length'],
  ...['ipv6_truncated', 'ipv6_version', 'ipv6_payload_length', 'ipv6_extension_truncated'],
  ...['ipv6_extension_depth', 'tcp_truncated', 'tcp_header_length', 'udp_truncated', 'udp_length'],
  ...['icmp_truncated', 'sctp_truncated', 'ports_truncated', 'ah_truncated', 'gre_truncated'],
  ...['erspan_truncated', 'nsh_truncated', 'nsh_length', 'gtp_extension', 'mpls_truncated', 'mpls_depth'],
  ...['l2tp_truncated', 'etherip_truncated', 'ppp_truncated', 'pppoe_truncated', 'pppoe_length'],
  ...['tunnel_depth', 'header_offset', 'overflow_full', 'excluded', 'history_dropped'],
];

/** Explains a reason by its name, as the ledger has it. */
export function reasonWords(reason: string): ReasonWords {
  const known = WORDS[reason];
  if (known) return known;
  for (const [ending, words] of ENDINGS) {
    if (!reason.endsWith(`_${ending}`)) continue;
    const [protocol = '', ...part] = reason.slice(0, -ending.length - 1).split('_');
    return words([PROTOCOLS[protocol] ?? protocol.toUpperCase(), ...part].join(' '));
  }
  return { why: `The parser says: ${reason}.`, remedy: 'Capture one, and tell us.' };
}
