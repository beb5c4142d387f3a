/** Which UDP destination ports announce which tunnel or encrypted protocol. */

/** What a port can announce, by the names of {@link TUNNEL} and {@link MARK} as far as they have one. */
export const PORT_NAMES = [
  'vxlan',
  'vxlan-gpe',
  'geneve',
  'gtp-u',
  'mpls',
  'l2tp',
  'esp-udp',
  'wireguard',
  'teredo',
  'gre',
  'lisp',
  'ayiya',
] as const;

/** One of {@link PORT_NAMES}. */
export type PortName = (typeof PORT_NAMES)[number];

/** Ports of each; of two that claim one port the later in {@link PORT_NAMES} has it. */
export type TunnelPorts = Readonly<Record<PortName, readonly number[]>>;

/** IANA's ports, with Linux' old one for VXLAN. Teredo and AYIYA are off: hardly anybody has them any more. */
export const DEFAULT_PORTS: TunnelPorts = {
  vxlan: [4789, 8472],
  'vxlan-gpe': [4790],
  geneve: [6081],
  'gtp-u': [2152],
  mpls: [6635],
  l2tp: [1701],
  'esp-udp': [4500],
  wireguard: [51_820],
  teredo: [],
  gre: [4754],
  lisp: [4341],
  ayiya: [],
};
