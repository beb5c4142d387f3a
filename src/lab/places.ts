/** Where things are in a topology: plain data that every kind of topology has. */

/** A host: one namespace, reached through `interface`. Names are without the lab's prefix. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** One overlay network; `index` numbers its devices on every host: `vxlan<index>`, `br<index>`, `c<index>a`, `c<index>b`. */
export interface Segment {
  readonly index: number;
  readonly vni: number;
  readonly group: string;
  readonly subnet: string;
}

/** An endpoint inside a segment, behind a host. In a namespace of its own its interface is `eth0`. */
export interface Client {
  readonly host: string;
  readonly vni: number;
  readonly namespace: string;
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** What every topology tells of itself, worked out to the last name and number. */
export interface Places {
  readonly name: string;
  readonly title: string;
  /** IP version of the underlay. */
  readonly underlay: 4 | 6;
  /** UDP destination port of the tunnels. */
  readonly port: number;
  /** Of the overlay, octets. */
  readonly mtu: number;
  readonly hosts: readonly Host[];
  readonly segments: readonly Segment[];
  readonly clients: readonly Client[];
  /** Where a monitor sees most of it: a namespace, without prefix, and an interface there. */
  readonly monitored: { readonly namespace: string; readonly interface: string };
}
