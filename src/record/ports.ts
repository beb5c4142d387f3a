/** The kernel's table of what UDP destination ports announce, changed while the programs run. */
import { DEFAULT_PORTS, PORT_NAMES, type PortName, type TunnelPorts } from '../flow/index.ts';
import { PortUse } from './gen/meter.ts';

const USES: Readonly<Record<PortName, number>> = {
  vxlan: PortUse.PORT_VXLAN,
  'vxlan-gpe': PortUse.PORT_VXLAN_GPE,
  geneve: PortUse.PORT_GENEVE,
  'gtp-u': PortUse.PORT_GTPU,
  mpls: PortUse.PORT_MPLS,
  l2tp: PortUse.PORT_L2TP,
  'esp-udp': PortUse.PORT_ESP,
  wireguard: PortUse.PORT_WIREGUARD,
  teredo: PortUse.PORT_TEREDO,
  gre: PortUse.PORT_GRE,
  lisp: PortUse.PORT_LISP,
  ayiya: PortUse.PORT_AYIYA,
};

/** Writes the table of 65,536 octets anew; an octet changes only where its port's use does. */
export function writePorts(table: Uint8Array, ports: Partial<TunnelPorts>): void {
  const wanted = new Uint8Array(table.length);
  const all = { ...DEFAULT_PORTS, ...ports };
  for (const name of PORT_NAMES) for (const port of all[name]) wanted[port] = USES[name];
  for (let port = 0; port < table.length; port++)
    if (table[port] !== wanted[port]) table[port] = wanted[port]!;
}
