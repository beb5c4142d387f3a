/** Opens the test object, and counts what the process holds. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BpfError, BpfMap, BpfObject, MapType, tcxPrograms } from '../index.ts';

export const PROBE_PATH: string = fileURLToPath(new URL('probe.bpf.o', import.meta.url));

/** The probe, opened and without the program that the verifier refuses. */
export function openProbe(): BpfObject {
  const object = BpfObject.openFile(PROBE_PATH);
  object.setAutoload('refused', false);
  return object;
}

/** The probe, loaded as it is. */
export function loadProbe(): BpfObject {
  const object = openProbe();
  object.load();
  return object;
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** 32-bit numbers as the bytes of a key or value. */
export function u32(...numbers: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** The 64-bit number at a byte offset. */
export function u64At(bytes: Uint8Array | undefined, offset: number): bigint {
  if (bytes === undefined) throw new TypeError('there is no value to read');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, true);
}

/** Why tests of tcx are to be skipped: this kernel has none. False where it has. */
export const noTcx: string | false = lacks(() => tcxPrograms({ ifindex: 1, direction: 'ingress' }));

/** Why tests that take elements out of a hash are to be skipped; false where the kernel can. */
export const noTakeOfHash: string | false = lacks(() => {
  using map = BpfMap.create({ type: MapType.HASH, name: 'probe', keySize: 4, valueSize: 4, maxEntries: 1 });
  map.take(u32(0));
});

/** What a feature's absence says for itself; any other failure is thrown. */
function lacks(attempt: () => unknown): string | false {
  try {
    attempt();
    return false;
  } catch (error) {
    if (error instanceof BpfError && error.minimumKernel !== undefined)
      return `needs Linux ${error.minimumKernel}, this is older`;
    if (error instanceof BpfError && error.code === 'BPF_PERMISSION') return false;
    throw error;
  }
}
