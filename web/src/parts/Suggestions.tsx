import { useEffect, useRef } from 'react';
import type { Suggestion } from '../../../src/query/index.ts';

interface SuggestionsProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  /** The one that the arrow keys are at. */
  readonly at: number | undefined;
  readonly onTake: (index: number) => void;
}

/** The list of a field with suggestions; the field keeps the focus and says which one is meant. */
export function Suggestions({ id, suggestions, at, onTake }: SuggestionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (at !== undefined) list.current?.children[at]?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  return (
    <div className="suggestions" role="listbox" aria-label="Suggestions" id={id} ref={list}>
      {suggestions.map(({ kind, text, meaning }, index) => (
        <div
          key={`${kind} ${text}`}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === at}
          tabIndex={-1}
          data-testid="suggestion"
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(index);
          }}
        >
          <code>{text}</code>
          <span className="quiet">{meaning}</span>
        </div>
      ))}
    </div>
  );
}
