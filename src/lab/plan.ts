/** How a topology is made to stand: what to do in order, and what is to run in it. */
import { planBridge } from './bridge-plan.ts';
import { planGateway } from './gateway-plan.ts';
import type { Member } from './member.ts';
import { planOverlay } from './overlay-plan.ts';
import type { LabTool } from './requirement.ts';
import type { Step } from './steps.ts';
import { planTenants } from './tenants-plan.ts';
import type { Topology } from './topology.ts';
import { planVirtual } from './virtual-plan.ts';

/** Steps that belong together; `line` is told as they begin. */
export interface Stage {
  readonly line?: string;
  readonly steps: readonly Step[];
}

/** Everything that makes a topology stand. */
export interface Plan {
  readonly namespaces: readonly string[];
  /** In order. */
  readonly stages: readonly Stage[];
  /** Processes that belong to it, kept running as long as it stands. */
  readonly members: readonly Member[];
  /** What it needs on the PATH beside what every lab does. */
  readonly tools: readonly LabTool[];
}

/** What the machine has that plans differ by. */
export interface Machine {
  /** 802.1Q devices in the kernel. */
  readonly vlanDevices: boolean;
}

/**
 * Works a topology out into steps; touches nothing. No link is ever made in the namespace the caller runs in: the
 * underlay is a bridge in a namespace of its own, and each veth is born with its ends where they belong.
 */
export function planOf(topology: Topology, prefix: string, machine: Machine): Plan {
  switch (topology.network) {
    case 'overlay':
      return planOverlay(topology, prefix);
    case 'bridge':
      return planBridge(topology, prefix);
    case 'gateway':
      return planGateway(topology, prefix, machine);
    case 'tenants':
      return planTenants(topology, prefix);
    case 'virtual':
      return planVirtual(topology, prefix);
  }
}
