/**
 * Attaching by a filter of the clsact qdisc, for kernels without tcx.
 *
 * Such a filter outlives its process. So it has a place of its own (handle and priority): a leftover of a killed process is
 * replaced there, never doubled; a program of another name at that place is someone else's, and is left alone.
 */
import { programName } from './describe.ts';
import { BpfError, errnoName, kernelError } from './error.ts';
import { networkNamespace } from './kernel.ts';
import { libbpf, OptionStruct } from './libbpf.ts';
import type { TcAttachment, TcDirection, TcOptions } from './link.ts';
import { countFilters, ingressQdisc } from './netlink.ts';
import type { BpfProgram } from './program.ts';
import { track } from './resources.ts';

const POINT = { ingress: 1, egress: 2 } as const;
const WHOLE_QDISC = POINT.ingress | POINT.egress;
const REPLACE = 1;
const ENOENT = -2;
const EEXIST = -17;

/** The qdiscs that this thread made, as `namespace/ifindex`: only these are ever removed. */
const madeHere = new Set<string>();

/** Attaches through clsact; see `attachTc`. */
export function attachClsact(options: TcOptions): TcAttachment {
  const place: ClsactPlace = {
    ifindex: options.ifindex,
    direction: options.direction,
    handle: options.handle ?? 1,
    priority: options.priority ?? 1,
  };
  const { program } = options;
  const action = `attach the program ${program.name} to ${place.direction} of interface ${place.ifindex} by clsact`;
  const namespace = networkNamespace();
  makeQdisc(place, namespace, action);
  try {
    refuseForeign(place, program, action);
    putFilter(place, program, action);
  } catch (failure) {
    removeOwnQdisc(place.ifindex, namespace);
    throw failure;
  }
  return new ClsactAttachment(place, program, namespace);
}

/** Where a filter is. */
export interface ClsactPlace {
  readonly ifindex: number;
  readonly direction: TcDirection;
  readonly handle: number;
  readonly priority: number;
}

/**
 * The filter that a former process left at its place, to be replaced or detached; undefined when there is none, or it is not
 * one of these programs.
 */
export function takeClsact(place: ClsactPlace, programs: readonly string[]): TcAttachment | undefined {
  const id = programAt(place);
  const name = id === undefined ? undefined : programName(id);
  if (id === undefined || name === undefined || !programs.some((each) => each.slice(0, 15) === name))
    return undefined;
  return new ClsactAttachment(place, { id, name }, networkNamespace());
}

/** At our place, in place of what may be there. */
function putFilter(place: ClsactPlace, program: BpfProgram, action: string): void {
  const filter = new OptionStruct('tcFilter', {
    prog_fd: program.fd,
    flags: REPLACE,
    handle: place.handle,
    priority: place.priority,
  });
  const result = libbpf().tcAttach(hook(place).bytes, filter.bytes);
  if (result < 0) {
    throw kernelError('BPF_LINK', result, {
      action,
      remedy: `priority ${place.priority} must be free, or hold BPF filters for all protocols; use another priority`,
    });
  }
}

class ClsactAttachment implements TcAttachment {
  readonly kind = 'clsact';
  readonly ifindex: number;
  readonly direction: TcDirection;
  readonly #place: ClsactPlace;
  #programId: number;
  readonly #namespace: string;
  readonly #untrack: () => boolean;
  #detached = false;

  constructor(
    place: ClsactPlace,
    program: { readonly id: number; readonly name: string },
    namespace: string,
  ) {
    this.ifindex = place.ifindex;
    this.direction = place.direction;
    this.#place = place;
    this.#programId = program.id;
    this.#namespace = namespace;
    this.#untrack = track(
      `clsact filter of ${program.name} at ${place.direction} of interface ${place.ifindex}`,
    );
  }

  isAttached(): boolean {
    if (this.#detached) return false;
    this.#demandNamespace();
    return programAt(this.#place) === this.#programId;
  }

  pin(): never {
    throw new TypeError(
      'a clsact filter cannot be pinned, it stays attached anyway when its process is killed',
    );
  }

  replace(program: BpfProgram): void {
    if (this.#detached) throw new TypeError('the clsact filter is detached');
    this.#demandNamespace();
    putFilter(this.#place, program, `replace the filter at ${this.direction} of interface ${this.ifindex}`);
    this.#programId = program.id;
  }

  detach(): void {
    if (this.#detached) return;
    this.#demandNamespace();
    if (programAt(this.#place) === this.#programId) {
      const filter = new OptionStruct('tcFilter', {
        handle: this.#place.handle,
        priority: this.#place.priority,
      });
      const result = libbpf().tcDetach(hook(this.#place).bytes, filter.bytes);
      if (result < 0 && !GONE.has(errnoName(-result))) {
        throw kernelError('BPF_LINK', result, {
          action: `take the filter off ${this.direction} of interface ${this.ifindex}`,
        });
      }
    }
    this.#detached = true;
    this.#untrack();
    removeOwnQdisc(this.ifindex, this.#namespace);
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  /** An interface number means another interface in another namespace: nothing is touched there. */
  #demandNamespace(): void {
    const here = networkNamespace();
    if (here === this.#namespace) return;
    throw new BpfError('BPF_NAMESPACE', {
      action: `reach the filter at ${this.direction} of interface ${this.ifindex}`,
      state: `it is in network namespace ${this.#namespace}, this thread is in ${here}`,
      remedy: 'attach and detach in the same network namespace',
    });
  }
}

/** What the kernel says when the filter, the qdisc or the interface has gone already. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENODEV', 'EINVAL']);

function hook(place: { ifindex: number; direction: TcDirection }): OptionStruct {
  return new OptionStruct('tcHook', { ifindex: place.ifindex, attach_point: POINT[place.direction] });
}

/** The number of the program at our place, or undefined when there is none. */
function programAt(place: ClsactPlace): number | undefined {
  const filter = new OptionStruct('tcFilter', { handle: place.handle, priority: place.priority });
  const result = libbpf().tcQuery(hook(place).bytes, filter.bytes);
  return result < 0 ? undefined : filter.read('prog_id');
}

function makeQdisc(place: ClsactPlace, namespace: string, action: string): void {
  const result = libbpf().tcHookCreate(hook(place).bytes);
  if (result >= 0) {
    madeHere.add(`${namespace}/${place.ifindex}`);
    return;
  }
  // Filters for either side of clsact would all end up on its one side.
  if (result === EEXIST && ingressQdisc(place.ifindex) === 'ingress') {
    throw new BpfError('BPF_LINK', {
      action,
      state: 'the interface has an ingress qdisc, and the kernel has either that or clsact',
      remedy:
        'take it off where nobody needs it ("tc qdisc del dev IFACE ingress"), have its owner use clsact, or use tcx (Linux 6.6 or later)',
      errno: -EEXIST,
    });
  }
  if (result !== EEXIST) {
    throw kernelError('BPF_LINK', result, {
      action: `${action} (making the clsact qdisc)`,
      remedy: result === ENOENT ? 'the kernel needs CONFIG_NET_SCH_INGRESS (module sch_ingress)' : undefined,
    });
  }
}

function refuseForeign(place: ClsactPlace, program: BpfProgram, action: string): void {
  const id = programAt(place);
  if (id === undefined) return;
  const name = programName(id);
  if (name === undefined || name === program.name.slice(0, 15)) return;
  throw new BpfError('BPF_LINK', {
    action,
    state: `handle ${place.handle} at priority ${place.priority} holds the program ${name} of someone else`,
    remedy: 'use another handle or priority',
    errno: -EEXIST,
  });
}

/** Removes the qdisc when this thread made it and no filter of anyone is left on either side of it. */
function removeOwnQdisc(ifindex: number, namespace: string): void {
  const key = `${namespace}/${ifindex}`;
  if (!madeHere.has(key)) return;
  const filters = countFilters(ifindex);
  if (filters !== undefined && filters > 0) return;
  madeHere.delete(key);
  if (filters === undefined) return;
  const whole = new OptionStruct('tcHook', { ifindex, attach_point: WHOLE_QDISC });
  const result = libbpf().tcHookDestroy(whole.bytes);
  if (result < 0 && !GONE.has(errnoName(-result))) {
    throw kernelError('BPF_LINK', result, { action: `remove the clsact qdisc of interface ${ifindex}` });
  }
}
