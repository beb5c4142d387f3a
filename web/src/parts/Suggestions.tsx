import type { Suggestion } from '../../../src/query/index.ts';

interface SuggestionsProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  /** Which one the arrow keys have reached; −1: none. */
  readonly active: number;
  readonly onAccept: (suggestion: Suggestion) => void;
}

/** What could be typed next, to be chosen by arrow keys and Enter, or pointed at. */
export function Suggestions({ id, suggestions, active, onAccept }: SuggestionsProps) {
  return (
    <div
      className="filter-suggestions"
      role="listbox"
      id={id}
      aria-label="Suggestions"
      data-testid="suggestions"
    >
      {suggestions.map((suggestion, i) => (
        <div
          key={`${suggestion.kind} ${suggestion.text}`}
          id={optionId(id, i)}
          role="option"
          tabIndex={-1}
          aria-selected={i === active}
          data-testid="suggestion"
          ref={i === active ? scrollTo : undefined}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onPointerUp={() => onAccept(suggestion)}
        >
          <span>{suggestion.text}</span>
          {suggestion.meaning !== '' && <span className="quiet">{suggestion.meaning}</span>}
        </div>
      ))}
    </div>
  );
}

/** Of one suggestion. */
export function optionId(id: string, at: number): string {
  return `${id}-${at}`;
}

function scrollTo(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' });
}
