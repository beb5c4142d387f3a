/** What the keys do, and what the words mean. */

/** A heading, or a key with what it does. */
export type HelpLine = readonly [key: string, meaning: string];

/** In the order in which they are read. */
export const HELP: readonly HelpLine[] = [
  ['', 'Keys'],
  ['1 … 5, Tab', 'tunnels, flows, connections, hosts, ledger'],
  ['↑ ↓ j k, PgUp PgDn, Home End', 'choose a row; the first one is whichever is largest'],
  ['Enter', 'go in: a host, its clients, their flows; a tunnel, its flows; a row, all that is known of it'],
  ['d', 'all that is known of the row, also of one that leads further'],
  ['Backspace, Esc', 'go back; at the top: go on when frozen, then drop the filter'],
  ['/', 'filter, in the language of the page and of --filter; Tab completes, Enter applies, Esc leaves'],
  ['s S  < >  ← →', 'order by the next column, or the one before'],
  ['r', 'the other way round'],
  ['w', 'window: the last 5 s, the last minute, since the start'],
  ['u', 'units: bits per second, octets per second, amounts'],
  ['n', 'names in place of addresses and segments, or not; d has both'],
  ['f, Space', 'freeze, and go on'],
  ['t', 'theme: for a dark ground, a light one, without colours'],
  ['Ctrl-L', 'draw anew'],
  ['Ctrl-Z', 'to the shell; fg comes back'],
  ['q, Ctrl-C', 'end'],
  ['Mouse', 'press a tab, a heading, a row, twice to go in; the wheel moves. Shift selects text'],
  ['', 'Words'],
  ['● all counted', 'every packet is in a flow or in a named line of the ledger (tab 5)'],
  ['◐ without detail', 'octets are exact, but more flows came than the kernel keeps (--flows)'],
  ['▲ unexplained', 'something passed that is nowhere: the ledger says at which interface'],
  [
    'in tunnels, outside',
    'of the last 5 s, all of this host, whatever is filtered; beside it the last minutes',
  ],
  ['TREND', 'the row’s rate in steps of five seconds since it is followed, newest at the right'],
  [
    'SHARE',
    'of the octets that the list is of, in the colour of the segment; a segment has one colour everywhere',
  ],
  [
    'HEADROOM',
    'octets that the longest packet of the tunnel leaves free of the MTU; ▲ below 0 it does not fit',
  ],
  ['LOSS, RESENT, RTT', 'where the agent measures them: --measure sequence,tcp'],
  ['stale, no answer', 'the figures are old: since when, and what is wrong'],
];
