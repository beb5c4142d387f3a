/** Why a packet is in no flow, in words, and what to do about it. */

/** A reason of the ledger, explained. */
export interface ReasonWords {
  readonly why: string;
  /** What to do; empty where nothing is to be done. */
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
const PROTOCOLS: Readonly<Record<string, string>> = { ethernet: 'Ethernet', ipv4: 'IPv4', ipv6: 'IPv6' };

/** Endings of reasons: which part of a header was wrong. */
const ENDINGS: readonly (readonly [ending: string, words: (what: string) => string])[] = [
  ['truncated', (what) => `The packet ends in the midst of its ${what} header.`],
  ['version', (what) => `It says to be ${what}, and its header has another version.`],
  ['depth', (what) => `It has more ${what} headers, one after the other, than are read.`],
  ['length', (what) => `A length in its ${what} header cannot be true.`],
];

/** Explains a reason by its name, as the ledger has it. */
export function reasonWords(reason: string): ReasonWords {
  const known = WORDS[reason];
  if (known) return known;
  for (const [ending, words] of ENDINGS) {
    if (!reason.endsWith(`_${ending}`)) continue;
    const [protocol = '', ...part] = reason.slice(0, -ending.length - 1).split('_');
    return {
      why: words([PROTOCOLS[protocol] ?? protocol.toUpperCase(), ...part].join(' ')),
      remedy: 'Its sender, or a device between, spoils packets: capture one, and look at who sends it.',
    };
  }
  return { why: `The parser says: ${reason}.`, remedy: 'Capture one, and tell us.' };
}
