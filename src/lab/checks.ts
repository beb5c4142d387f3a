/** The check of each kind of topology. */
import { checkBridge } from './bridge-check.ts';
import type { CheckOptions } from './check.ts';
import { withLeases } from './dhcp.ts';
import { LabError } from './error.ts';
import { checkGateway } from './gateway-check.ts';
import { checkedPrefix, readRecord } from './record.ts';
import { checkTenants } from './tenants-check.ts';
import type { Topology } from './topology.ts';
import { checkVirtual } from './virtual-check.ts';

/**
 * Checks that a lab which stands does what its topology is for, and says so line by line. An overlay of the kernel's own
 * has nothing to check beyond standing. Throws LabError (`LAB_NOT_UP`, `LAB_CHECK`); the lab stays as it is.
 */
export async function checkLab(options: Partial<CheckOptions> = {}): Promise<void> {
  const prefix = checkedPrefix(options.prefix);
  const record = readRecord(prefix);
  if (record?.phase !== 'up')
    throw new LabError(
      'LAB_NOT_UP',
      `Checking the lab "${prefix}": it ${record === undefined ? 'is not there' : 'is half made'}; wanted it standing`,
      'Bring it up first: tunnelscope lab up.',
    );
  await checkTopology(record.topology, {
    progress: () => undefined,
    ...options,
    prefix,
  });
}

/** The topology as it stands: with the addresses that its clients hold by DHCP. */
export function asItStands(topology: Topology, prefix: string): Topology {
  return topology.network === 'bridge' ? withLeases(topology, prefix) : topology;
}

function checkTopology(topology: Topology, options: CheckOptions): Promise<void> {
  switch (topology.network) {
    case 'overlay':
      return Promise.resolve();
    case 'bridge':
      return checkBridge(topology, options);
    case 'gateway':
      return checkGateway(topology, options);
    case 'tenants':
      return checkTenants(topology, options);
    case 'virtual':
      return checkVirtual(topology, options);
  }
}
