import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import {
  type Completion,
  completeViewFilter,
  type StreamedView,
  type Suggestion,
} from '../../src/query/index.ts';
import { SeenValues } from './seen.ts';
import { valuesIn } from './sight.ts';

/** Suggestions shown at a time. */
const MOST = 12;
const NOTHING: readonly Suggestion[] = [];

/** A field in which a filter is typed. */
export interface Typing {
  readonly input: React.RefObject<HTMLInputElement | null>;
  readonly suggestions: readonly Suggestion[];
  /** −1: none. */
  readonly active: number;
  /** Typed or moved: at least one suggestion is shown, if there is one. */
  open(): void;
  close(): void;
  /** The cursor was moved. */
  follow(): void;
  /** Goes to the next suggestion, or the one before; in a circle that has the text itself in it. */
  move(by: 1 | -1): void;
  /** The text with a suggestion in it. */
  accepted(suggestion: Suggestion): string;
}

const seen = new SeenValues({ fetch: (...words) => fetch(...words), nowMs: () => performance.now() });

/**
 * What could be typed next at the cursor of a field.
 *
 * @param view values in it come to mind first, where no history tells more
 * @param hasHistory whether the agent can be asked what was seen lately
 */
export function useTyping(text: string, view: StreamedView | undefined, hasHistory: boolean): Typing {
  const input = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [cursor, setCursor] = useState(0);
  const [active, setActive] = useState(-1);
  const [, setLearned] = useState(0);
  const next = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (next.current === undefined) return;
    input.current?.setSelectionRange(next.current, next.current);
    next.current = undefined;
  });
  useEffect(() => {
    if (!isOpen || !hasHistory) return;
    let isThere = true;
    void seen.learn(text, cursor).then((isMore) => {
      if (isThere && isMore) setLearned((times) => times + 1);
    });
    return () => {
      isThere = false;
    };
  }, [isOpen, hasHistory, text, cursor]);
  const completion: Completion | undefined = isOpen
    ? completeViewFilter(text, Math.min(cursor, text.length), {
        ...(view && valuesIn(view)),
        ...seen.known(text, cursor),
      })
    : undefined;
  const suggestions = completion?.suggestions.slice(0, MOST) ?? NOTHING;
  return {
    input,
    suggestions,
    active: Math.min(active, suggestions.length - 1),
    open() {
      setCursor(input.current?.selectionStart ?? 0);
      setActive(-1);
      setOpen(true);
    },
    close() {
      setOpen(false);
      setActive(-1);
    },
    follow() {
      const at = input.current?.selectionStart ?? 0;
      if (at !== cursor) setCursor(at);
    },
    move(by) {
      const places = suggestions.length + 1;
      setActive(((active + 1 + by + places) % places) - 1);
    },
    accepted({ text: word }) {
      const { from, to } = completion!;
      const behind = text.slice(to);
      const blank = behind.startsWith(' ') ? '' : ' ';
      const cursorAt = from + word.length + 1;
      next.current = cursorAt;
      setCursor(cursorAt);
      setActive(-1);
      return `${text.slice(0, from)}${word}${blank}${behind}`;
    },
  };
}
