/** What the kernel says about a program, map, link or BTF set behind a descriptor (BPF_OBJ_GET_INFO_BY_FD). */
import { Btf } from './btf.ts';
import { type BpfErrorCode, kernelError } from './error.ts';
import { addressOf, libbpf, libc } from './libbpf.ts';

/** A map, as the kernel has it. */
export type MapDescription = {
  readonly type: number;
  readonly id: number;
  /** Sizes in bytes; `valueSize` of a per-CPU map is that of one CPU's value. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** The kernel keeps 15 characters. */
  readonly name: string;
  readonly btfId: number;
  readonly keyType: number;
  readonly valueType: number;
};

/** A program, as the kernel has it. Run counts are zero unless run statistics are on. */
export type ProgramDescription = {
  readonly type: number;
  readonly id: number;
  /** The kernel keeps 15 characters. */
  readonly name: string;
  /** Hash of the instructions, as bpftool prints it. */
  readonly tag: string;
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
  /** Instructions the verifier walked through, of a limit of a million; 0 before Linux 5.16, which does not say. */
  readonly verifiedInstructions: number;
};

/** A link, as the kernel has it. `ifindex` is that of a tcx link, 0 when its interface is gone or it was detached. */
export type LinkDescription = { readonly id: number; readonly programId: number; readonly ifindex: number };

/** Describes a map. @throws BpfError `BPF_MAP`. */
export function describeMap(fd: number): MapDescription {
  const view = describe(fd, 88, 'BPF_MAP', 'map');
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: text(view, 24, 16),
    btfId: view.getUint32(64, true),
    keyType: view.getUint32(68, true),
    valueType: view.getUint32(72, true),
  };
}

/** Describes a program. @throws BpfError `BPF_LOAD`. */
export function describeProgram(fd: number): ProgramDescription {
  const view = describe(fd, 232, 'BPF_LOAD', 'program');
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    tag: Buffer.from(view.buffer, 8, 8).toString('hex'),
    name: text(view, 64, 16),
    runTimeNs: view.getBigUint64(192, true),
    runCount: view.getBigUint64(200, true),
    verifiedInstructions: view.getUint32(216, true),
  };
}

/** Describes a link. @throws BpfError `BPF_LINK`. */
export function describeLink(fd: number): LinkDescription {
  const view = describe(fd, 32, 'BPF_LINK', 'link');
  return {
    id: view.getUint32(4, true),
    programId: view.getUint32(8, true),
    ifindex: view.getUint32(16, true),
  };
}

/** The kernel's name of a loaded program, or undefined when there is none of this number (any more). */
export function programName(id: number): string | undefined {
  const fd = libbpf().programFdById(id);
  if (fd < 0) return undefined;
  try {
    return describeProgram(fd).name;
  } finally {
    libc().close(fd);
  }
}

/**
 * The BTF set of this number, read from the kernel.
 *
 * @param own descriptor of a set that the caller loaded: when it is the one, opening by number is not needed, which is
 *   CAP_SYS_ADMIN's alone (kernel/bpf/syscall.c, bpf_btf_get_fd_by_id)
 * @throws BpfError `BPF_LAYOUT`.
 */
export function kernelBtf(id: number, own = -1): Btf {
  if (own >= 0 && describeBtf(own).getUint32(12, true) === id) return readBtfOf(own, id);
  const fd = libbpf().btfFdById(id);
  if (fd < 0) throw kernelError('BPF_LAYOUT', fd, { action: `open the BTF set ${id} of the kernel` });
  try {
    return readBtfOf(fd, id);
  } finally {
    libc().close(fd);
  }
}

/** struct bpf_btf_info: the size of the set at 8, its number at 12. */
function describeBtf(fd: number): DataView {
  return describe(fd, 32, 'BPF_LAYOUT', 'BTF set');
}

function readBtfOf(fd: number, id: number): Btf {
  const size = describeBtf(fd).getUint32(8, true);
  const bytes = new Uint8Array(size);
  const request = new Uint8Array(32);
  const view = new DataView(request.buffer);
  view.setBigUint64(0, addressOf(bytes), true);
  view.setUint32(8, size, true);
  const result = libbpf().describe(fd, request, new Uint32Array([request.byteLength]));
  if (result < 0) throw kernelError('BPF_LAYOUT', result, { action: `read the BTF set ${id} of the kernel` });
  return Btf.parse(bytes);
}

/** An older kernel fills less than `size`; the rest stays zero. */
function describe(fd: number, size: number, code: BpfErrorCode, what: string): DataView {
  const bytes = new Uint8Array(size);
  const result = libbpf().describe(fd, bytes, new Uint32Array([size]));
  if (result < 0) throw kernelError(code, result, { action: `ask the kernel about a ${what} (fd ${fd})` });
  return new DataView(bytes.buffer);
}

function text(view: DataView, offset: number, length: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + offset, length);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? length : end);
}
