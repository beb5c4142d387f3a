/** Packets of ours that tshark reads otherwise, by the names of the combinations, and why: there it is no second opinion. */
const LIMITS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/lisp with next protocol/, 'tshark does not know the P bit of RFC 9305'],
  [/gre with key in turn pppoe/, 'tshark does not read PPPoE behind GRE'],
  [
    /^(something else to (the )?port|vxlan without VNI|(vxlan-gpe|geneve|gre|etherip|pppoe) version|pppoe code)/,
    'tshark looks neither at flags nor at versions and codes',
  ],
  [
    /^geneve options beyond/,
    'tshark takes the identifier before it sees that the header is beyond the packet',
  ],
  [/^esp cut/, 'tshark shows the SPI of a header that is cut'],
  [
    /^gre (in udp with routing|with routing|payload)/,
    'tshark looks neither at the routing bit of GRE nor at reserved ones',
  ],
  [/^mpls of a frame/, 'tshark guesses a pseudowire with a control word'],
  [/^l2tpv3 of something/, 'tshark is told that it is a frame'],
  [/^frame in ip/, 'tshark reads a frame behind protocol 143, with segment routing or without'],
];

/** Why tshark cannot know a packet's flow; `undefined` when it can. */
export function tsharkLimit(name: string): string | undefined {
  return LIMITS.find(([pattern]) => pattern.test(name))?.[1];
}
