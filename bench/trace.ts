/** What the main thread of a page did, read from a trace of Chromium. */

/** A complete event of the trace, microseconds of the monotonic clock. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Time on a processor: what others take of the machine is not in it. */
  readonly tdur?: number;
}

/** Categories to ask for. */
export const TRACE_CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8'];

/** Milliseconds of the main thread in a stretch of time. */
export interface Spent {
  readonly script: number;
  /** The same on a processor. */
  readonly scriptCpu: number;
  /** Styles and layout, also what a script forced. */
  readonly layout: number;
  /** Paint records and what hands them to the compositor; the pixels are made in other threads. */
  readonly paint: number;
}

/** One task of the main thread. */
export interface Task extends Spent {
  /** Whole, milliseconds. */
  readonly length: number;
  /** It was a frame: animation callbacks, styles, layout, paint. */
  readonly isFrame: boolean;
}

const SCRIPT = new Set([
  'EvaluateScript',
  'FunctionCall',
  'FireAnimationFrame',
  'TimerFire',
  'EventDispatch',
  'RunMicrotasks',
  'MajorGC',
  'MinorGC',
  'V8.GCScavenger',
]);
const LAYOUT = new Set(['UpdateLayoutTree', 'Layout']);
const PAINT = new Set(['PrePaint', 'Paint', 'Layerize', 'Commit', 'UpdateLayer', 'HitTest']);

type Kind = 'script' | 'layout' | 'paint';

/** Events of the thread that ran most script, by time, an outer one before those in it. */
export function mainThread(events: readonly TraceEvent[]): TraceEvent[] {
  const complete = events.filter((event) => event.ph === 'X' && event.dur !== undefined);
  const calls = Map.groupBy(
    complete.filter((event) => event.name === 'FunctionCall'),
    (event) => `${event.pid} ${event.tid}`,
  );
  const busiest = [...calls].sort(([, x], [, y]) => y.length - x.length)[0]?.[0];
  return complete
    .filter((event) => `${event.pid} ${event.tid}` === busiest)
    .sort((x, y) => x.ts - y.ts || y.dur! - x.dur!);
}

/** The tasks that began between two times, microseconds of the monotonic clock. */
export function tasksBetween(events: readonly TraceEvent[], from: number, to: number): Task[] {
  const tasks: Task[] = [];
  const within = events.filter((event) => event.ts >= from && event.ts < to);
  for (let i = 0; i < within.length; ) {
    const task = within[i]!;
    const end = task.ts + task.dur!;
    const inner: TraceEvent[] = [];
    for (i++; i < within.length && within[i]!.ts < end; i++) inner.push(within[i]!);
    const isFrame = inner.some((event) => event.name === 'FireAnimationFrame' || event.name === 'Paint');
    tasks.push({ length: task.dur! / 1000, isFrame, ...spent([task, ...inner]) });
  }
  return tasks;
}

/** Every microsecond belongs to the innermost event of a known kind. */
function spent(nested: readonly TraceEvent[]): Spent {
  const sums: Record<Kind, number> = { script: 0, layout: 0, paint: 0 };
  let scriptCpu = 0;
  const open: { readonly end: number; readonly kind: Kind | undefined }[] = [];
  for (const { name, ts, dur, tdur } of nested) {
    while (open.length > 0 && open.at(-1)!.end <= ts) open.pop();
    const outer = open.findLast((event) => event.kind !== undefined)?.kind;
    const kind = kindOf(name);
    if (kind !== undefined) {
      sums[kind] += dur! / 1000;
      if (outer !== undefined) sums[outer] -= dur! / 1000;
      const cpu = (tdur ?? dur!) / 1000;
      scriptCpu += (kind === 'script' ? cpu : 0) - (outer === 'script' ? cpu : 0);
    }
    open.push({ end: ts + dur!, kind });
  }
  return { ...sums, scriptCpu };
}

function kindOf(name: string): Kind | undefined {
  if (SCRIPT.has(name)) return 'script';
  if (LAYOUT.has(name)) return 'layout';
  return PAINT.has(name) ? 'paint' : undefined;
}
