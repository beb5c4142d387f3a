import type { BpfMap } from '../bpf/index.ts';

/** Who has maps by name: a loaded object, or what a former process left pinned. The maps stay its own. */
export interface MapSource {
  map(name: string): BpfMap;
}
