/** LiveView: takes epochs in and answers who talks to whom over sliding windows. */
import type { FlowBatch, FlowSink, LinkRoom, ObservationPoint } from '../flow/index.ts';
import {
  type Audit,
  type AuditPoint,
  compileFilter,
  type Exactness,
  type Filter,
  type LiveQuery,
  type LiveQuestion,
  type ResultTable,
  type View,
  type ViewQuestion,
  type ViewSource,
  WINDOWS,
} from '../query/index.ts';
import { answer } from './answer.ts';
import { AuditSum } from './audit.ts';
import { ExactnessSum } from './exactness.ts';
import { FittingUniflows } from './fitting.ts';
import { compact } from './fold.ts';
import { type GroupQuestion, GroupSummer, type GroupSums } from './group-sums.ts';
import { EpochHistory } from './history.ts';
import { joinLedgers, type LedgerSums, ledgerOf } from './ledger.ts';
import { joinMeasured, type MeasuredTunnels, measuredOf, NOTHING_MEASURED } from './measured-tunnels.ts';
import { type NodeTable, Segments } from './nodes.ts';
import { answerLive } from './question/answer.ts';
import { packSlice, SliceWriter, type Stretch, slicesOf } from './slice.ts';
import { Uniflow } from './uniflow.ts';
import { takeIn, UniflowTable } from './uniflows.ts';

/** How a live view is built; all have defaults. */
export interface LiveOptions {
  /** Epoch length in seconds, told to the viewers. Default 1. */
  readonly intervalSeconds?: number;
  /** Unix time, milliseconds; used only until the first epoch tells the time. Default `Date.now`. */
  readonly clock?: () => number;
  /** Uniflows kept apart; the longest idle ones beyond fold. Default 200 000. */
  readonly maxFlows?: number;
  /** Uniflows idle longer fold. Default 600. */
  readonly idleSeconds?: number;
  /** Nodes an answer holds at most; the rest is one node `(others)`. Default 400. */
  readonly maxNodes?: number;
  /** Whether the epochs are of captures, with their own time. Default false. */
  readonly isRecorded?: boolean;
  /** Observation points to take in; records of others are left out. Default all. */
  readonly accept?: (point: ObservationPoint) => boolean;
  /** Records to take in; seen, ledger and audit stay those of everything. Default all. */
  readonly filter?: Filter;
  /** Told of an observation point where something has become persistently unexplained, and again when it has doubled. */
  readonly unexplained?: (point: AuditPoint) => void;
  /** Told when all is explained again at such a point. */
  readonly explained?: (point: AuditPoint) => void;
}

type Window = ViewQuestion['window'];

const FIVE_SECONDS = 5_000;
const MINUTE = 60_000;
/** Rows of tables that are kept for others who ask the same within the epoch. */
const KEPT_ROWS = 20_000;

/**
 * Sliding sums over all uniflows, exact.
 *
 * Windows are made of whole epochs: an epoch belongs to a window while its middle does, so that epochs a few
 * milliseconds long or short do not come and go. The minute is made of buckets of about five seconds and moves in
 * such steps; what a window really covers is `windowSeconds`. Totals since the start survive folding (BUG-C7):
 * uniflows idle for long or beyond `maxFlows` end up in a row per pair of hosts and segment.
 */
export class LiveView implements FlowSink, ViewSource, LiveQuery {
  readonly name = 'live';
  #options: Required<LiveOptions>;
  #table: UniflowTable = new UniflowTable(new Segments());
  #exactness = new ExactnessSum();
  readonly #audit: AuditSum;
  #listeners = new Set<() => void>();
  #answers = new Map<string, View>();
  #tables = new Map<string, ResultTable>();
  #keptRows = 0;
  readonly #fitting = new FittingUniflows();
  readonly #history = new EpochHistory();
  readonly #summer = new GroupSummer();
  /** Newest last: the epochs of the last 5 s, and the buckets of the last minute. */
  #epochs: Stretch[] = [];
  #buckets: Stretch[] = [];
  /** Since the start. */
  #ledger: LedgerSums = new Map();
  #measured: MeasuredTunnels = NOTHING_MEASURED;
  /** By ifindex, of the newest epoch. */
  #links: ReadonlyMap<number, LinkRoom> = new Map();
  readonly #writer = new SliceWriter();
  #writes = 0;
  #agent = '';
  #epoch = 0;
  #records = 0;
  #startMs = 0;
  #endMs = 0;
  /** (time, number of writes) once a minute, to know what idle means in writes. */
  #idleMarks: { readonly endMs: number; readonly writes: number }[] = [];

  constructor(options: LiveOptions = {}) {
    this.#options = {
      intervalSeconds: 1,
      clock: Date.now,
      maxFlows: 200_000,
      idleSeconds: 600,
      maxNodes: 400,
      isRecorded: false,
      accept: () => true,
      filter: { kind: 'any' },
      unexplained: () => undefined,
      explained: () => undefined,
      ...options,
    };
    this.#audit = new AuditSum(this.#options);
  }

  /** Uniflows kept apart, rows of folded ones included. */
  get flowCount(): number {
    return this.#table.length;
  }

  /** Epochs have another length from now on. */
  setInterval(seconds: number): void {
    this.#options = { ...this.#options, intervalSeconds: seconds };
  }

  /** Records of the newest epoch, over all observation points. */
  get recordCount(): number {
    return this.#records;
  }

  /** Takes an epoch in. An epoch of the same agent that was taken in before is ignored. */
  write(batch: FlowBatch): void {
    if (batch.agent === this.#agent && batch.epoch <= this.#epoch) return;
    if (this.#writes++ === 0) this.#begin(batch);
    this.#agent = batch.agent;
    this.#epoch = batch.epoch;
    this.#records = batch.length;
    this.#endMs = batch.endMs;
    const points = this.#pointsOf(batch);
    const accepts = compileFilter(this.#options.filter, batch.points);
    const touched = takeIn(this.#table, batch, { pointOf: points, accepts, write: this.#writes });
    const isTaken = (point: number): boolean => points.get(point) !== -1;
    this.#exactness.add(batch, isTaken);
    this.#audit.add(batch, isTaken);
    const ledger = ledgerOf(batch, isTaken);
    this.#addHistory(batch, touched, ledger);
    const measured = measuredOf(batch, { pointOf: points, accepts });
    this.#addToWindows(batch, touched, { ledger, measured });
    this.#links = linksOf(batch.points);
    this.#retire(this.#epochs, FIVE_SECONDS, '5s');
    this.#retire(this.#buckets, MINUTE, '1m');
    this.#foldIfNeeded();
    this.#answers.clear();
    this.#tables.clear();
    this.#keptRows = 0;
    for (const listener of [...this.#listeners]) listener();
  }

  close(): void {
    this.#listeners.clear();
  }

  onEpoch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Answers from the newest epoch; the answer is shared by all who ask the same within an epoch: do not change it. */
  view(question: ViewQuestion): View {
    const key = JSON.stringify([
      question.window,
      question.segment,
      question.host,
      question.pair,
      question.filter,
    ]);
    const known = this.#answers.get(key);
    if (known) return known;
    const view = this.#answer(question);
    if (this.#answers.size < 32) this.#answers.set(key, view);
    return view;
  }

  table(question: LiveQuestion): ResultTable {
    const key = JSON.stringify(question);
    const known = this.#tables.get(key);
    if (known) return known;
    const answer = answerLive(question, {
      table: this.#table,
      fitting: this.#fitting,
      covered: this.#covered(question.window),
      epochs: this.#history.epochs,
      ledger: this.#ledgerOf(question.window),
      measured: this.#measuredOf(question.window),
      links: this.#links,
      stepMs: 1000 * this.#options.intervalSeconds,
    });
    if (this.#keptRows + answer.rows.length <= KEPT_ROWS) {
      this.#keptRows += answer.rows.length;
      this.#tables.set(key, answer);
    }
    return answer;
  }

  /** Per observation point: what its interface counted, what the hook saw, and where all of it is. */
  audit(): Audit {
    return this.#audit.value();
  }

  /** What the uniflows of the last 5 s come to, all together and by group; an answer for each question. */
  groupSums(questions: readonly GroupQuestion[]): GroupSums[] {
    return this.#summer.sums(this.#table, questions, this.#seconds('5s'));
  }

  /** Every uniflow with traffic in the window, in order of first sight. Rows are lent until the next `write`. */
  *uniflows(window: Window = 'all'): Generator<Uniflow> {
    const table = this.#table;
    const counters = table.counters[window];
    for (let u = 0; u < table.length; u++) {
      const tally = table.counted(u, counters);
      if (tally >= 0) yield new Uniflow(table, u, tally, counters);
    }
  }

  /** Who talks, by the numbers that uniflows say. Lent until the next `write`. */
  get nodes(): NodeTable {
    return this.#table.nodes;
  }

  /** Where everything seen is, since the start. */
  exactness(): Exactness {
    return { ...this.#exactness.value(), outside: this.#audit.outside() };
  }

  #answer(question: ViewQuestion): View {
    const { intervalSeconds, isRecorded, maxNodes, clock } = this.#options;
    return {
      question,
      ...answer(this.#table, question, {
        rateSeconds: this.#seconds('5s'),
        maxNodes,
        fitting: this.#fitting,
      }),
      agent: this.#agent,
      epoch: this.#epoch,
      atMs: this.#writes === 0 ? clock() : this.#endMs,
      windowSeconds: this.#seconds(question.window),
      intervalSeconds,
      isRecorded,
      exactness: this.exactness(),
      history: this.#history.rates,
    };
  }

  /** Seconds from the start of the window's oldest epoch to the end of its newest. */
  #seconds(window: Window): number {
    const { fromMs, toMs } = this.#covered(window);
    return (toMs - fromMs) / 1000;
  }

  /** From the start of the window's oldest epoch to the end of its newest. */
  #covered(window: Window): { readonly fromMs: number; readonly toMs: number } {
    if (this.#writes === 0) {
      const nowMs = this.#options.clock();
      return { fromMs: nowMs, toMs: nowMs };
    }
    const toMs = this.#endMs;
    const fromMs = window === 'all' ? this.#startMs : (this.#stretches(window)[0]?.startMs ?? toMs);
    return { fromMs: Math.min(fromMs, toMs), toMs };
  }

  #stretches(window: Exclude<Window, 'all'>): readonly Stretch[] {
    return window === '5s' ? this.#epochs : this.#buckets;
  }

  #ledgerOf(window: Window): LedgerSums {
    return window === 'all' ? this.#ledger : joinLedgers(this.#stretches(window).map(({ ledger }) => ledger));
  }

  #measuredOf(window: Window): MeasuredTunnels {
    if (window === 'all') return this.#measured;
    return joinMeasured(this.#stretches(window).map(({ measured }) => measured));
  }

  /** The first epoch says how large to begin: of a capture it may be all there is. */
  #begin({ startMs, length }: FlowBatch): void {
    this.#startMs = startMs;
    this.#table = new UniflowTable(new Segments(), Math.max(1024, Math.min(length, this.#options.maxFlows)));
  }

  /** By `2 * ifindex + direction`: primary ingress 0, primary egress 1, other ingress 2, other egress 3, left out −1. */
  #pointsOf(batch: FlowBatch): Map<number, number> {
    const kinds = new Map<number, number>();
    for (const point of batch.points) {
      const kind = (point.primary ? 0 : 2) + point.direction;
      kinds.set(2 * point.ifindex + point.direction, this.#options.accept(point) ? kind : -1);
    }
    return kinds;
  }

  #addHistory(batch: FlowBatch, touched: Uint32Array, ledger: LedgerSums): void {
    const table = this.#table;
    const { epoch } = table.counters;
    const { list } = table.segments;
    const sums = new Float64Array(2 * list.length);
    for (const tally of touched) {
      const uniflow = table.uniflowOf[tally]!;
      if (table.counted(uniflow, epoch) !== tally) continue;
      sums[2 * table.segment[uniflow]!]! += epoch.octets(tally);
      sums[2 * table.segment[uniflow]! + 1]! += epoch.packets(tally);
    }
    const { intervalSeconds } = this.#options;
    const kindOf = (segment: number): number => list[segment]!.tunnelKind;
    this.#history.add(batch, { sums, kindOf, ledger, intervalSeconds });
  }

  /** Adds the epoch counters to the windows and leaves them zero. */
  #addToWindows(
    batch: FlowBatch,
    touched: Uint32Array,
    { ledger, measured }: Pick<Stretch, 'ledger' | 'measured'>,
  ): void {
    const table = this.#table;
    const { epoch } = table.counters;
    for (const tally of touched) {
      for (const window of WINDOWS) table.counters[window].addTally(tally, epoch, tally);
      table.segments.list[table.segment[table.uniflowOf[tally]!]!]!.lastSeenMs = batch.endMs;
    }
    const { startMs, endMs } = batch;
    const slice = epoch.moveToSlice(table.tallyCount, this.#writer);
    this.#ledger = joinLedgers([this.#ledger, ledger]);
    this.#measured = joinMeasured([this.#measured, measured]);
    this.#epochs.push({ startMs, endMs, ledger, measured, parts: [slice] });
    const open = this.#buckets.at(-1);
    const middle = (startMs + endMs) / 2;
    if (open && middle >= open.startMs && middle < open.startMs + FIVE_SECONDS) {
      open.endMs = endMs;
      open.ledger = joinLedgers([open.ledger, ledger]);
      open.measured = joinMeasured([open.measured, measured]);
      open.parts.push(slice);
    } else {
      if (open) this.#join(open);
      this.#buckets.push({ startMs, endMs, ledger, measured, parts: [slice] });
    }
  }

  /** The epochs of a bucket that is full become one slice, because most uniflows are in each of them, and wait packed. */
  #join(bucket: Stretch): void {
    const { counters, tallyCount } = this.#table;
    for (const part of bucket.parts) counters.epoch.addSlice(part);
    bucket.parts = [packSlice(counters.epoch.moveToSlice(tallyCount, this.#writer))];
    bucket.isPacked = true;
  }

  /** Takes away what has left the window; the newest stretch always stays. After a step of the clock nothing old does. */
  #retire(stretches: Stretch[], span: number, window: '5s' | '1m'): void {
    while (stretches.length > 1) {
      const [oldest] = stretches as [Stretch];
      const middle = (oldest.startMs + oldest.endMs) / 2;
      if (middle > this.#endMs - span && middle <= this.#endMs) return;
      for (const part of slicesOf(oldest)) this.#table.counters[window].subtractSlice(part);
      stretches.shift();
    }
  }

  #foldIfNeeded(): void {
    const { maxFlows } = this.#options;
    const table = this.#table;
    const idleBefore = this.#idleBefore();
    const isCrowded = table.length > maxFlows;
    if (!isCrowded && idleBefore === 0) return;
    const folds = new Uint8Array(table.length);
    let kept: number[] = [];
    for (let u = 0; u < table.length; u++) {
      if (table.isFolded(u)) continue;
      if (table.lastWrite(u) <= idleBefore) folds[u] = 1;
      else if (isCrowded) kept.push(u);
    }
    // A tenth more than needed, so that the next flows do not fold again at once.
    const surplus = isCrowded ? Math.ceil(kept.length + table.foldedRows - 0.9 * maxFlows) : 0;
    if (surplus > 0) {
      kept = kept.sort((a, b) => table.lastWrite(a) - table.lastWrite(b)).slice(0, surplus);
      for (const u of kept) folds[u] = 1;
    }
    if (folds.includes(1)) this.#compact(folds);
  }

  /** Number of the last write that is longer ago than the idle limit, once a minute; else 0. */
  #idleBefore(): number {
    const marks = this.#idleMarks;
    const last = marks.at(-1);
    if (
      last &&
      this.#endMs >= last.endMs &&
      this.#endMs - last.endMs < Math.min(MINUTE, this.#options.idleSeconds * 100)
    )
      return 0;
    marks.push({ endMs: this.#endMs, writes: this.#writes });
    let idle = 0;
    while (marks.length > 1 && marks[0]!.endMs <= this.#endMs - this.#options.idleSeconds * 1000)
      idle = marks.shift()!.writes;
    return idle;
  }

  #compact(folds: Uint8Array): void {
    const maxFoldedRows = Math.ceil(this.#options.maxFlows / 4);
    const { table, map } = compact(this.#table, (u) => folds[u] === 1, maxFoldedRows);
    this.#table = table;
    const { epoch } = table.counters;
    for (const stretch of [...this.#epochs, ...this.#buckets]) {
      stretch.parts = slicesOf(stretch).map((part) => {
        epoch.addSlice(part, map);
        const slice = epoch.moveToSlice(table.tallyCount, this.#writer);
        return stretch.isPacked ? packSlice(slice) : slice;
      });
    }
  }
}

function linksOf(points: readonly ObservationPoint[]): Map<number, LinkRoom> {
  return new Map(points.flatMap(({ ifindex, link }) => (link ? [[ifindex, link] as const] : [])));
}
