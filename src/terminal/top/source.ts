/** Where `top` has its figures from: an agent in this process, or one that is asked over its API. */
import type { Connection, SocketFigures } from '../../measure/index.ts';
import type {
  Audit,
  LiveQuestion,
  NamesAnswer,
  NamesQuestion,
  ResultTable,
  Status,
  View,
  ViewQuestion,
} from '../../query/index.ts';

/** As much of an answer's table as is shown. */
export type LiveTable = Pick<ResultTable, 'columns' | 'rows' | 'total' | 'isCut'>;

/** A connection, and what the host's own socket at an end of it knows. */
export interface HeldConnection extends Pick<Connection, 'protocol' | 'source' | 'destination' | 'tunnel'> {
  /** The same as long as it is there. */
  readonly key: string;
  /** `open`, `finished`, `reset by opener`, …; of a socket its state. */
  readonly state: string;
  /** Undefined where nobody saw it begin. */
  readonly startMs: number | undefined;
  readonly durationMs: number | undefined;
  /** Octets from source to destination and back, since the beginning: on the wire, of sockets what TCP carried. */
  readonly sent: number;
  readonly received: number;
  readonly socket: SocketFigures | undefined;
}

/** Connections there are, or why none can be told. */
export type Connections =
  | {
      readonly kind: 'list';
      readonly connections: readonly HeldConnection[];
      /** What they are, and what is not among them, in a line. */
      readonly note: string;
    }
  | { readonly kind: 'none'; readonly why: string };

/** Answers from the newest epoch. Calls reject with what is wrong, in words for people. */
export interface TopSource {
  /** What is asked, in words: `this host`, `"office"`, an address. */
  readonly name: string;
  view(question: ViewQuestion, signal: AbortSignal): Promise<View>;
  audit(signal: AbortSignal): Promise<Audit>;
  status(signal: AbortSignal): Promise<Status>;
  /** @throws NotOffered where the agent does not answer such questions */
  table(question: LiveQuestion, signal: AbortSignal): Promise<LiveTable>;
  /** @param filter in the filter language; empty: all */
  connections(filter: string, signal: AbortSignal): Promise<Connections>;
  /** What is known now of what addresses and segments are called; where it is left out nothing has a name. */
  readonly names?: (question: NamesQuestion, signal: AbortSignal) => Promise<NamesAnswer>;
  /** Calls back when there is a newer epoch; returns the way to stop. Where it is left out, only asking tells. */
  readonly onEpoch?: (listener: () => void) => () => void;
  /** What went wrong lately without keeping answers from coming. */
  readonly problem?: () => string | undefined;
}

/** The agent answers, but not this: it is of another version. */
export class NotOffered extends Error {}
