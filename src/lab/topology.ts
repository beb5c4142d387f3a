/** Topologies: what a lab can make stand, by name or from a file. */
import { z } from 'zod';
import { checkDocument, type DocumentKind, readDocument, shippedNames, unusable } from './document.ts';
import { expandOverlay, type OverlayFile, OverlaySchema, type OverlayTopology } from './overlay-topology.ts';

export type { Client, Host, Places, Segment } from './places.ts';

const KIND: DocumentKind = {
  noun: 'topology',
  folder: new URL('./topologies/', import.meta.url),
  code: 'LAB_TOPOLOGY',
};

/** A topology as a person writes it; `network` says of which kind it is, an overlay where nothing is said. */
export type TopologyFile = OverlayFile;

/** A topology worked out to the last name and number: plain data, equal input gives equal output. */
export type Topology = OverlayTopology;

/** What a caller may change about a topology; counts only where the file counts and does not list. */
export interface TopologyOptions {
  readonly hosts?: number | undefined;
  readonly segments?: number | undefined;
  readonly clients?: 'shared' | 'own' | undefined;
}

/** Per kind: what a file may hold, and how it is worked out. */
const KINDS: {
  readonly [Network in Topology['network']]: {
    readonly schema: z.ZodType<Extract<TopologyFile, { network?: Network | undefined }>>;
    readonly expand: (
      kind: DocumentKind,
      name: string,
      file: Extract<TopologyFile, { network?: Network | undefined }>,
    ) => Topology;
  };
} = {
  overlay: { schema: OverlaySchema, expand: expandOverlay },
};

const HeadSchema = z.looseObject({ network: z.enum(['overlay']).default('overlay') });

/** Names of the shipped topologies. */
export function topologyNames(): string[] {
  return shippedNames(KIND);
}

/**
 * Reads a shipped topology by name or a file by path and works it out.
 * Throws LabError (`LAB_TOPOLOGY`) naming every wrong field and the value found.
 */
export function loadTopology(nameOrPath: string, options: TopologyOptions = {}): Topology {
  const head = readDocument(KIND, nameOrPath, HeadSchema);
  const { schema, expand } = KINDS[head.network];
  const file = checkDocument(KIND, nameOrPath, schema, head);
  return expand(KIND, nameOrPath, changed(nameOrPath, { schema, file }, options));
}

/** The file with what the caller wants otherwise, checked again. */
function changed<File extends TopologyFile>(
  name: string,
  { schema, file }: { readonly schema: z.ZodType<File>; readonly file: File },
  options: TopologyOptions,
): File {
  const wanted: Record<string, unknown> = Object.fromEntries(Object.entries(file));
  if (options.clients !== undefined) wanted.clients = options.clients;
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
  return checkDocument(KIND, name, schema, wanted);
}
