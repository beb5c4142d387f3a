/** What the addresses and segments in sight are called: asked for as they come in sight, and kept within bounds. */
import { MAX_NAMED, type Name, type NamesAnswer, type NamesQuestion } from '../../query/index.ts';
import type { Cell, CellKind } from './listing.ts';

/** Who says what something is called. */
export interface Naming {
  address(address: string): Name | undefined;
  segment(id: string): Name | undefined;
}

/** Nobody knows any name. */
export const NO_NAMES: Naming = { address: () => undefined, segment: () => undefined };

/** So long a name holds, or that there is none; and one that may come, milliseconds. */
const HOLDS_MS = 60_000;
const PENDING_MS = 2000;
/** An agent that gives no answer is asked again then. */
const REST_MS = 30_000;
/** Of each kind. */
const KEPT = 5000;

interface Known {
  readonly name: Name | undefined;
  readonly untilMs: number;
}

/** Names that were told. */
export class KnownNames implements Naming {
  readonly #addresses = new Map<string, Known>();
  readonly #segments = new Map<string, Known>();
  #restMs = 0;

  address(address: string): Name | undefined {
    return this.#addresses.get(address)?.name;
  }

  segment(id: string): Name | undefined {
    return this.#segments.get(id)?.name;
  }

  /** What is to be asked for of what is in sight; undefined: nothing. */
  due({ addresses, segments }: NamesQuestion, nowMs: number): NamesQuestion | undefined {
    if (nowMs < this.#restMs) return undefined;
    const wanted = (known: ReadonlyMap<string, Known>, all: readonly string[]): string[] =>
      [...new Set(all)].filter((each) => (known.get(each)?.untilMs ?? 0) <= nowMs).slice(0, MAX_NAMED);
    const due = {
      addresses: wanted(this.#addresses, addresses),
      segments: wanted(this.#segments, segments),
    };
    return due.addresses.length + due.segments.length === 0 ? undefined : due;
  }

  /** Takes an answer. @returns whether anything is called otherwise than before */
  learn(asked: NamesQuestion, { addresses, segments, pending }: NamesAnswer, nowMs: number): boolean {
    const waits = new Set(pending);
    const learned = [
      learnAll(this.#addresses, asked.addresses, (each) => [
        addresses[each],
        nowMs + (waits.has(each) ? PENDING_MS : HOLDS_MS),
      ]),
      learnAll(this.#segments, asked.segments, (each) => [segments[each], nowMs + HOLDS_MS]),
    ];
    return learned.includes(true);
  }

  /** Nobody answered. */
  fail(nowMs: number): void {
    this.#restMs = nowMs + REST_MS;
  }
}

function learnAll(
  known: Map<string, Known>,
  asked: readonly string[],
  told: (text: string) => readonly [name: Name | undefined, untilMs: number],
): boolean {
  let isOther = false;
  for (const text of asked) {
    const [name, untilMs] = told(text);
    isOther ||= known.get(text)?.name?.name !== name?.name;
    known.delete(text);
    known.set(text, { name, untilMs });
    if (known.size > KEPT) known.delete(known.keys().next().value!);
  }
  return isOther;
}

const BETWEEN = ' › ';

/** The addresses of a text: `10.0.0.1`, `10.0.0.1:80`, `[fd00::1]:80`, or two of them. */
export function addressesIn(text: string): string[] {
  return text.split(BETWEEN).map((end) => endOf(end).address);
}

/** The same with names in place of addresses, but those of networks, which are many. */
export function namedText(text: string, naming: Naming): string {
  return text
    .split(BETWEEN)
    .map((end) => {
      const { address, port } = endOf(end);
      const name = naming.address(address);
      if (!name || name.network !== undefined) return end;
      return port === '' ? name.name : `${name.name}:${port}`;
    })
    .join(BETWEEN);
}

/** The text, and behind it the names of all that has one: `10.0.0.1:80 (web 1)`. */
export function textAndNames(text: string, naming: Naming): string {
  const names = addressesIn(text).flatMap((address) => naming.address(address)?.name ?? []);
  return names.length === 0 ? text : `${text} (${names.join(BETWEEN)})`;
}

/** How long a value stands in a list: as it is, or by its name. */
export function shownText(value: Cell, kind: CellKind, naming: Naming): string {
  const text = String(value ?? '');
  if (kind === 'address') return namedText(text, naming);
  return kind === 'segment' ? (naming.segment(text)?.name ?? text) : text;
}

/** `10.0.0.1:80` and `[fd00::1]:80` apart; an address alone has no port. */
export function endOf(text: string): { readonly address: string; readonly port: string } {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return port === undefined ? { address: text, port: '' } : { address: bracketed ?? plain ?? '', port };
}
