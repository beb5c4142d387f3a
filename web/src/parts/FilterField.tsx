import { type FocusEvent, type FormEvent, type KeyboardEvent, useId, useState } from 'react';
import {
  FilterError,
  MAX_VIEW_FILTER,
  parseViewFilter,
  type StreamedView,
} from '../../../src/query/index.ts';
import { leftOutWords } from '../words.ts';
import { Suggestions } from './Suggestions.tsx';
import { useSuggestions } from './suggesting.ts';

interface FilterFieldProps {
  /** The filter in force, as it was typed; empty for none. */
  readonly applied: string;
  readonly view: StreamedView | undefined;
  /** Whether the agent can be asked what was seen lately. */
  readonly hasHistory: boolean;
  readonly onApply: (filter: string) => void;
}

/** Which flows are meant, in words. A wrong one changes nothing but says what is wrong, and where. */
export function FilterField({ applied, view, hasHistory, onApply }: FilterFieldProps) {
  const faultId = useId();
  const [draft, setDraft] = useState(applied);
  const [fault, setFault] = useState<FilterError>();
  const [known, setKnown] = useState(applied);
  const suggesting = useSuggestions(draft, { view, hasHistory }, setDraft);
  const { suggestions, at, listId } = suggesting;
  // Back, Forward and links bring another one.
  if (known !== applied) {
    setKnown(applied);
    setDraft(applied);
    setFault(undefined);
  }
  const apply = (): void => {
    const text = draft.trim();
    suggesting.close();
    const wrong = faultOf(text);
    setFault(wrong);
    if (!wrong && text !== applied) onApply(text);
  };
  const clear = (): void => {
    setDraft('');
    setFault(undefined);
    suggesting.close();
    if (applied !== '') onApply('');
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    apply();
  };
  const onBlur = (event: FocusEvent): void => {
    if (!event.currentTarget.contains(event.relatedTarget)) apply();
  };
  // Escape empties this, and only leaves the view where there is nothing to empty.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (suggesting.onKey(event)) return;
    if (event.key !== 'Escape' || (draft === '' && applied === '')) return;
    event.preventDefault();
    clear();
  };
  return (
    <form className="filter" data-testid="filter" onSubmit={onSubmit} onBlur={onBlur} onKeyDown={onKeyDown}>
      <span className="filter-box">
        <input
          type="text"
          data-testid="filter-text"
          ref={suggesting.input}
          role="combobox"
          aria-label="Filter"
          aria-autocomplete="list"
          aria-expanded={suggestions.length > 0}
          aria-controls={suggestions.length > 0 ? listId : undefined}
          aria-activedescendant={at === undefined ? undefined : `${listId}-${at}`}
          aria-invalid={fault !== undefined}
          aria-describedby={fault && faultId}
          placeholder="Filter, e.g. vni 5001 and not port 22"
          title="Only flows that fit: Enter applies it, Escape clears it"
          value={draft}
          maxLength={MAX_VIEW_FILTER}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          enterKeyHint="go"
          onChange={(event) => {
            setDraft(event.target.value);
            suggesting.open(event.target);
          }}
        />
        {draft !== '' && (
          <button
            type="button"
            data-testid="filter-clear"
            aria-label="Clear the filter"
            title="Clear the filter"
            // The field keeps the focus, so that what is in it is not applied before it is cleared.
            onPointerDown={(event) => event.preventDefault()}
            onClick={clear}
          >
            <span aria-hidden="true">×</span>
          </button>
        )}
        {suggestions.length > 0 && (
          <Suggestions id={listId} suggestions={suggestions} at={at} onTake={suggesting.take} />
        )}
        {fault && suggestions.length === 0 && (
          <span className="filter-fault" id={faultId} role="alert" data-testid="filter-fault">
            {fault.message}
            <Fault fault={fault} />
            {applied !== '' && <span className="quiet">The filter before stays in force: {applied}</span>}
          </span>
        )}
      </span>
      {view?.filter && (
        <span className="chip" data-testid="left-out" title={`Shown is only what fits: ${view.filter.text}`}>
          {leftOutWords(view.filter, view.total.octets)}
        </span>
      )}
    </form>
  );
}

/** Shown of the text before and behind the fault, in characters. */
const AROUND = 60;

/** The text with the fault underlined; at the end of the text that is a blank. Words say the same before. */
function Fault({ fault: { text, span } }: { readonly fault: FilterError }) {
  if (text === '') return null;
  return (
    <code aria-hidden="true">
      {span.from > AROUND && '…'}
      {text.slice(Math.max(0, span.from - AROUND), span.from)}
      <mark data-testid="filter-mark">{text.slice(span.from, span.to) || '\u00a0'}</mark>
      {text.slice(span.to, span.to + AROUND)}
      {span.to + AROUND < text.length && '…'}
    </code>
  );
}

function faultOf(text: string): FilterError | undefined {
  try {
    parseViewFilter(text);
    return undefined;
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}
