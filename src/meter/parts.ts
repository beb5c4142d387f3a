/** What a meter is made of, each opened as the options say. */
import { type BpfError, collectRunStatistics, hasTcx, setNetworkNamespace } from '../bpf/index.ts';
import { DEFAULT_MEASURE } from '../flow/index.ts';
import { Attachments } from './attachments.ts';
import { claimClsact } from './clsact-claim.ts';
import { Counters } from './counters.ts';
import { MeterError } from './error.ts';
import { InterfaceNames } from './interface-names.ts';
import { LoadedMeter } from './loaded.ts';
import type { MeterListener, MeterOptions, PinOptions } from './options.ts';
import { MeterPins } from './pins.ts';
import { Sockets } from './sockets.ts';

/** What a meter is made of. */
export interface MeterParts {
  readonly loaded: LoadedMeter;
  readonly counters: Counters;
  readonly names: InterfaceNames;
  readonly sockets: Sockets | undefined;
  readonly attachments: Attachments;
  readonly hook: 'auto' | 'tcx' | 'clsact';
  readonly pins: MeterPins | undefined;
}

/** Opens them, in the order in which they need each other; the stack then has what is to be closed. @throws BpfError, MeterError */
export async function openParts(
  options: MeterOptions,
  listener: MeterListener,
  stack: DisposableStack,
): Promise<MeterParts> {
  if (options.namespace !== undefined) enterNamespace(options.namespace);
  const mayUseClsact = options.hook === 'clsact' || (options.hook === 'auto' && hasTcx() === false);
  if (mayUseClsact) stack.use(await claimClsact());
  if (options.runStatistics) stack.use(collectRunStatistics());
  const names = new InterfaceNames();
  const loaded = stack.use(load(options));
  const counters = stack.use(new Counters());
  const sockets = stack.use(openSockets(options));
  const pins = stack.use(options.pins && (await openPins(options.pins, listener)));
  const hook: MeterOptions['hook'] = mayUseClsact ? 'clsact' : options.hook;
  const attachments = stack.use(new Attachments({ loaded, counters, hook, pins }));
  return { loaded, counters, names, sockets, attachments, hook, pins };
}

function load({ flowCapacity, measure = {} }: MeterOptions): LoadedMeter {
  const wide = Math.max(1, Math.ceil(flowCapacity / 2));
  return LoadedMeter.load({ capacities: { narrow: flowCapacity, wide }, measure });
}

/** Where nothing can be pinned it is told, and metering goes on: then a process that is killed takes with it what it counted last. */
async function openPins({ name }: PinOptions, listener: MeterListener): Promise<MeterPins | undefined> {
  try {
    return await MeterPins.claim(name);
  } catch (error) {
    if (!(error instanceof MeterError) || error.code !== 'METER_PINS') throw error;
    listener.problem?.(error);
    return undefined;
  }
}

function openSockets({ measure }: MeterOptions): Sockets | undefined {
  const capacity = measure?.sockets ?? DEFAULT_MEASURE.sockets;
  return capacity > 0 ? Sockets.open(capacity) : undefined;
}

function enterNamespace(name: string): void {
  try {
    setNetworkNamespace(`/run/netns/${name}`);
  } catch (cause) {
    throw new MeterError(
      'METER_NAMESPACE',
      `entering the network namespace "${name}" failed (${(cause as BpfError).message})`,
      {
        cause,
        remedy: 'list the namespaces with "ip netns"',
      },
    );
  }
}
