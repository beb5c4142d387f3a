/** What a journal knows beside its files: the last epoch of each agent, and what it dropped. Most of it outlives the process. */
import type { Dropped } from './options.ts';
import type { StateFile } from './state-file.ts';
import { addToTally, type DroppedEpoch, type Tally } from './tally.ts';

/** Agents whose last epochs are remembered when their files are gone. */
const REMEMBERED_AGENTS = 64;

/** Of one journal; the file it is kept in stays the caller's. */
export class JournalMemory {
  readonly #state: StateFile;
  readonly #known: Map<string, number>;
  #tally: Tally | undefined;
  #dropped: Dropped = { epochs: 0, packets: 0n, octets: 0n };

  constructor(state: StateFile) {
    this.#state = state;
    this.#known = new Map(state.state.known);
    this.#tally = state.state.tally ?? undefined;
  }

  /** Random, of the directory for good. */
  get id(): string {
    return this.#state.state.id;
  }

  /** The last epoch of each agent. */
  get known(): ReadonlyMap<string, number> {
    return this.#known;
  }

  /** What was dropped and is in no file yet. */
  get tally(): Tally | undefined {
    return this.#tally;
  }

  /** What there was no room for since the start. */
  get dropped(): Dropped {
    return this.#dropped;
  }

  /** Numbers of files that are in the tally, and may be there all the same. */
  get counted(): readonly string[] {
    return this.#state.state.counted;
  }

  /** The tally is in a file. */
  writtenTally({ agent }: Tally): void {
    this.know({ agent, epoch: 1 });
    this.#tally = undefined;
    this.remember({});
  }

  /** When the files are known: one that was written down before the process ended is forgotten now. */
  forgetWrittenTally(): void {
    if (this.#tally && this.#known.has(this.#tally.agent)) this.#tally = undefined;
  }

  /** Counts epochs as dropped; `files`: those they are in, which are about to go. */
  drop(epochs: readonly DroppedEpoch[], files: string[]): void {
    for (const epoch of epochs) {
      this.#tally = addToTally(this.#tally, epoch);
      if (epoch.isTally) continue;
      const { epochs: count, packets, octets } = this.#dropped;
      this.#dropped = {
        epochs: count + 1,
        packets: epoch.seen.reduce((sum, line) => sum + line.packets, packets),
        octets: epoch.seen.reduce((sum, line) => sum + line.octets, octets),
      };
    }
    this.remember({ counted: files });
  }

  /** Writes down what outlives the files; `counted`: files that are in the tally and are about to go. */
  remember({ counted = [] }: { readonly counted?: readonly string[] }): void {
    const known = [...this.#known].slice(-REMEMBERED_AGENTS);
    try {
      this.#state.write({ known, tally: this.#tally ?? null, counted: [...counted] });
    } catch {
      // Its room was taken when it was made: the disk itself fails. It is written again with the next change.
    }
  }

  /** An epoch of an agent is in a file, or was. */
  know({ agent, epoch }: { readonly agent: string; readonly epoch: number }): void {
    const known = this.#known.get(agent) ?? 0;
    // At the end: the newest agents are remembered.
    this.#known.delete(agent);
    this.#known.set(agent, Math.max(known, epoch));
  }
}
