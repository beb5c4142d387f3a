import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from 'react';
import type { StreamedView, Suggestion } from '../../../src/query/index.ts';
import { SeenValues } from '../seen.ts';
import { suggest, taken } from '../suggest.ts';

const lately = new SeenValues({ fetch: (...words) => fetch(...words), nowMs: () => performance.now() });

/** A field's suggestions, as its parts need them. */
export interface Suggesting {
  readonly input: RefObject<HTMLInputElement | null>;
  readonly listId: string;
  /** None while the list is closed. */
  readonly suggestions: readonly Suggestion[];
  /** The one that the arrow keys are at. */
  readonly at: number | undefined;
  readonly open: (element: HTMLInputElement) => void;
  readonly close: () => void;
  readonly take: (index: number) => void;
  /** @returns whether the key was one of the list */
  readonly onKey: (event: KeyboardEvent) => boolean;
}

/**
 * Suggestions for what is typed into a field: arrows choose, Enter and Tab take, Escape closes.
 *
 * @param known.hasHistory whether the agent can be asked what was seen lately
 */
export function useSuggestions(
  draft: string,
  known: { readonly view: StreamedView | undefined; readonly hasHistory: boolean },
  setDraft: (text: string) => void,
): Suggesting {
  const { view, hasHistory } = known;
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  /** Where the cursor is while the list is open. */
  const [cursor, setCursor] = useState<number>();
  const [at, setAt] = useState<number>();
  /** Where the cursor is to go when the field has its new text. */
  const moved = useRef<number>(undefined);
  useEffect(() => {
    if (moved.current !== undefined) input.current?.setSelectionRange(moved.current, moved.current);
    moved.current = undefined;
  });
  const [, setLearned] = useState(0);
  useEffect(() => {
    if (cursor === undefined || !hasHistory) return;
    let isThere = true;
    void lately.learn(draft, cursor).then((isMore) => {
      if (isThere && isMore) setLearned((times) => times + 1);
    });
    return () => {
      isThere = false;
    };
  }, [draft, cursor, hasHistory]);
  const completion =
    cursor === undefined ? undefined : suggest(draft, cursor, view, lately.known(draft, cursor));
  const suggestions = completion?.suggestions ?? [];
  const close = (): void => {
    setCursor(undefined);
    setAt(undefined);
  };
  const open = (element: HTMLInputElement): void => {
    setCursor(element.selectionStart ?? element.value.length);
    setAt(undefined);
  };
  const take = (index: number): void => {
    const next = taken(draft, completion!, suggestions[index]!);
    setDraft(next.text);
    setCursor(next.cursor);
    setAt(undefined);
    moved.current = next.cursor;
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (event.target !== input.current) return false;
    const isOpen = suggestions.length > 0;
    if (event.key === 'ArrowDown' && !isOpen) open(input.current!);
    else if (event.key === 'ArrowDown') setAt(((at ?? -1) + 1) % suggestions.length);
    else if (event.key === 'ArrowUp' && isOpen) setAt((at ?? 0) === 0 ? suggestions.length - 1 : at! - 1);
    else if ((event.key === 'Enter' || event.key === 'Tab') && at !== undefined) take(at);
    else if (event.key === 'Escape' && at !== undefined) close();
    else return false;
    event.preventDefault();
    return true;
  };
  return { input, listId, suggestions, at, open, close, take, onKey };
}
