/** The data log: a line of values per epoch, for those who keep figures in files. */
import type { FlowBatch, FlowSink } from '../flow/index.ts';
import {
  addEpoch,
  DATA_DISPLAYS,
  type DataColumn,
  type DataOptions,
  dataColumns,
  noSums,
} from './data-columns.ts';
import { RotatingFile, type Rotation } from './rotating-file.ts';

/** Between two values. */
const SEPARATOR = ' | ';
const EVERYTHING: DataOptions = { displays: DATA_DISPLAYS, nominalMs: 0 };

/**
 * A sink that appends a line per epoch: the end of the epoch (UTC, milliseconds), then each column's value. A value that
 * nothing measures is empty, never 0. The first line of each file names the columns.
 */
export class DataLog implements FlowSink {
  readonly name = 'data log';
  readonly #file: RotatingFile;
  readonly #columns: readonly DataColumn[];
  readonly #sums = noSums();
  #newest: Pick<FlowBatch, 'agent' | 'epoch'> | undefined;

  private constructor(file: RotatingFile, columns: readonly DataColumn[]) {
    this.#file = file;
    this.#columns = columns;
  }

  /** Opens or makes the file. @throws ExportError */
  static open(path: string, rotation: Rotation, options: DataOptions = EVERYTHING): DataLog {
    const columns = dataColumns(options);
    const header = ['timestamp', ...columns.map(({ name }) => name)].join(SEPARATOR);
    return new DataLog(RotatingFile.open(path, rotation, `${header}\n`), columns);
  }

  /** Appends a line. An epoch that was written before is ignored. @throws ExportError; the totals keep the epoch */
  write(batch: FlowBatch): void {
    const { agent, epoch, startMs, endMs } = batch;
    if (this.#newest?.agent === agent && epoch <= this.#newest.epoch) return;
    this.#newest = { agent, epoch };
    addEpoch(this.#sums, batch);
    const seconds = (endMs - startMs) / 1000;
    const values = this.#columns.map(({ value }) => value(this.#sums, seconds) ?? '');
    this.#file.write(`${[new Date(endMs).toISOString(), ...values].join(SEPARATOR)}\n`);
  }

  close(): void {
    this.#file[Symbol.dispose]();
  }
}
