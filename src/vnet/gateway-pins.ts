/** The gateway's programs, loaded with what a former process left pinned. */
import { fileURLToPath } from 'node:url';
import { BpfError, kernelAtLeast, kernelRelease } from '../bpf/index.ts';
import { VnetError } from './error.ts';
import type { GatewayConfig } from './gateway-config.ts';
import { Client, Place, Settings, Worker } from './gen/gateway.ts';
import { PinnedObject } from './pinned.ts';

const OBJECT = fileURLToPath(new URL('../../bpf/vnet/gateway.bpf.o', import.meta.url));
/** Has atomic exchange in BPF programs. */
const MINIMUM_KERNEL = '5.12';

/** Loads the programs, with the maps of a former process where there are any. @throws BpfError, VnetError */
export function openGatewayPins(name: string, { capacity }: Pick<GatewayConfig, 'capacity'>): PinnedObject {
  try {
    return PinnedObject.open({
      name,
      object: OBJECT,
      kept: {
        clients: { value: Client },
        places: { value: Place },
        workers: { value: Worker },
        settings: { value: Settings },
        tellings: {},
        lapses: {},
        ledger: {},
      },
      configure: (object) => {
        for (const map of ['clients', 'places', 'workers']) object.setMaxEntries(map, capacity);
      },
    });
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'BPF_LOAD' || kernelAtLeast(MINIMUM_KERNEL))
      throw error;
    throw new VnetError(
      'VNET_KERNEL',
      `a gateway needs Linux ${MINIMUM_KERNEL}, this is ${kernelRelease()}; boot a newer one`,
      { cause: error },
    );
  }
}
