import type { ResultTable } from '../../../src/query/index.ts';
import { columnWords } from '../result.ts';
import { moved, type ShownColumn } from '../sheet.ts';
import { Menu } from './Menu.tsx';

interface ColumnsMenuProps {
  readonly columns: ResultTable['columns'];
  readonly shown: readonly ShownColumn[];
  readonly onChange: (shown: readonly ShownColumn[] | undefined) => void;
}

/** Which columns are shown, in which order. */
export function ColumnsMenu({ columns, shown, onChange }: ColumnsMenuProps) {
  const hidden = columns.filter(({ name }) => !shown.some(({ id }) => id === name));
  const wordsOf = (id: string): string => {
    const column = columns.find(({ name }) => name === id);
    return column ? columnWords(column).head : id;
  };
  const step = (id: string, by: number) => () =>
    onChange(moved(shown, id, shown.findIndex((each) => each.id === id) + by));
  return (
    <Menu words="Columns" testId="columns">
      <ul className="column-list">
        {shown.map(({ id }, at) => (
          <li key={id}>
            <label>
              <input
                type="checkbox"
                checked
                disabled={shown.length === 1}
                onChange={() => onChange(shown.filter((each) => each.id !== id))}
              />
              {wordsOf(id)}
            </label>
            <span>
              <button
                type="button"
                aria-label={`Move ${wordsOf(id)} to the left`}
                disabled={at === 0}
                onClick={step(id, -1)}
              >
                ↑
              </button>
              <button
                type="button"
                aria-label={`Move ${wordsOf(id)} to the right`}
                disabled={at === shown.length - 1}
                onClick={step(id, 1)}
              >
                ↓
              </button>
            </span>
          </li>
        ))}
        {hidden.map(({ name }) => (
          <li key={name} className="hidden-column">
            <label>
              <input type="checkbox" checked={false} onChange={() => onChange([...shown, { id: name }])} />
              {wordsOf(name)}
            </label>
          </li>
        ))}
      </ul>
      <p className="quiet">
        Heads can be dragged, and their right edges. On a head, Shift and ← → move its column, Ctrl and ← →
        make it narrower and wider.
      </p>
      <button type="button" className="plain" onClick={() => onChange(undefined)}>
        As at first
      </button>
    </Menu>
  );
}
