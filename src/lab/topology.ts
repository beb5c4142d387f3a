/** Topologies: what a lab can make stand, by name or from a file. */
import { z } from 'zod';
import { type BridgeFile, BridgeSchema, type BridgeTopology, expandBridge } from './bridge-topology.ts';
import { checkDocument, type DocumentKind, readDocument, shippedNames, unusable } from './document.ts';
import { expandGateway, type GatewayFile, GatewaySchema, type GatewayTopology } from './gateway-topology.ts';
import { expandOverlay, type OverlayFile, OverlaySchema, type OverlayTopology } from './overlay-topology.ts';
import { expandTenants, type TenantsFile, TenantsSchema, type TenantsTopology } from './tenants-topology.ts';
import { expandVirtual, type VirtualFile, VirtualSchema, type VirtualTopology } from './virtual-topology.ts';

export type { Client, Host, Places, Segment } from './places.ts';

const KIND: DocumentKind = {
  noun: 'topology',
  folder: new URL('./topologies/', import.meta.url),
  code: 'LAB_TOPOLOGY',
};

/** A topology as a person writes it; `network` says of which kind it is, an overlay where nothing is said. */
export type TopologyFile = OverlayFile | BridgeFile | GatewayFile | TenantsFile | VirtualFile;

/** A topology worked out to the last name and number: plain data, equal input gives equal output. */
export type Topology = OverlayTopology | BridgeTopology | GatewayTopology | TenantsTopology | VirtualTopology;

/** What a caller may change about a topology; counts only where the file counts and does not list. */
export interface TopologyOptions {
  readonly hosts?: number | undefined;
  readonly segments?: number | undefined;
  readonly clients?: 'shared' | 'own' | undefined;
  readonly tunnel?: 'vxlan' | 'gretap' | undefined;
  readonly ports?: 'bridge' | 'direct' | undefined;
  /** Behind which host DHCP servers are: by VNI, and of all others. */
  readonly dhcp?:
    | { readonly server: string; readonly servers?: Readonly<Record<string, string>> }
    | undefined;
}

/** A kind of network: what a file may hold, and how it is worked out. */
interface Kind<File> {
  readonly schema: z.ZodType<File>;
  readonly expand: (kind: DocumentKind, name: string, file: File) => Topology;
}

/** Reads a file of a kind; what the caller wants otherwise is in it then, checked again. */
function reader<File extends TopologyFile>({ schema, expand }: Kind<File>) {
  return (name: string, raw: unknown, options: TopologyOptions): Topology => {
    const file = checkDocument(KIND, name, schema, raw);
    return expand(KIND, name, checkDocument(KIND, name, schema, changed(name, file, options)));
  };
}

const READERS = {
  overlay: reader({ schema: OverlaySchema, expand: expandOverlay }),
  bridge: reader({ schema: BridgeSchema, expand: expandBridge }),
  gateway: reader({ schema: GatewaySchema, expand: expandGateway }),
  tenants: reader({ schema: TenantsSchema, expand: expandTenants }),
  virtual: reader({ schema: VirtualSchema, expand: expandVirtual }),
} satisfies Record<Topology['network'], unknown>;

const HeadSchema = z.looseObject({
  network: z.enum(Object.keys(READERS) as [Topology['network'], ...Topology['network'][]]).default('overlay'),
});

/** Names of the shipped topologies. */
export function topologyNames(): string[] {
  return shippedNames(KIND);
}

/**
 * Reads a shipped topology by name or a file by path and works it out.
 * Throws LabError (`LAB_TOPOLOGY`) naming every wrong field and the value found.
 */
export function loadTopology(nameOrPath: string, options: TopologyOptions = {}): Topology {
  const raw = readDocument(KIND, nameOrPath, HeadSchema);
  return READERS[raw.network](nameOrPath, raw, options);
}

/** What a caller wants otherwise, in the file. @throws LabError where the file does not count what is to be counted */
function changed(name: string, file: TopologyFile, options: TopologyOptions): Record<string, unknown> {
  const wanted: Record<string, unknown> = Object.fromEntries(Object.entries(file));
  for (const field of ['clients', 'tunnel', 'ports', 'dhcp'] as const)
    if (options[field] !== undefined) wanted[field] = options[field];
  for (const field of ['hosts', 'segments'] as const) {
    const count = options[field];
    if (count === undefined) continue;
    const series = wanted[field];
    if (Array.isArray(series)) {
      throw unusable(KIND, name, [
        `${field} is asked to be ${count}, but this topology lists its ${field} one by one`,
      ]);
    }
    if (series === undefined)
      throw unusable(KIND, name, [`${field} is asked to be ${count}, but this topology has none to count`]);
    wanted[field] = { ...series, count };
  }
  return wanted;
}
