import { DIMENSIONS, type Dimension } from '../../../src/query/index.ts';
import { columnWords } from '../result.ts';
import { Menu } from './Menu.tsx';

/** Most dimensions that rows are grouped by. */
export const MOST_DIMENSIONS = 3;

/** Reads `src,dst`; what is no dimension is left out. */
export function readDimensions(text: string | undefined): Dimension[] {
  const words = text?.split(',') ?? [];
  return DIMENSIONS.filter((each) => words.includes(each))
    .toSorted((a, b) => words.indexOf(a) - words.indexOf(b))
    .slice(0, MOST_DIMENSIONS);
}

interface GroupMenuProps {
  readonly by: readonly Dimension[];
  readonly onChange: (by: readonly Dimension[]) => void;
}

/** By what flows are grouped: up to three dimensions, in the order in which they were chosen. */
export function GroupMenu({ by, onChange }: GroupMenuProps) {
  const wordsOf = (name: Dimension): string => {
    const { head, title } = columnWords({ name, kind: 'text' });
    return title ?? head;
  };
  const words = by.length === 0 ? 'Group by' : `By ${by.map((name) => headOf(name)).join(', ')}`;
  return (
    <Menu words={words} testId="group">
      <ul className="column-list two">
        {DIMENSIONS.map((name) => (
          <li key={name}>
            <label>
              <input
                type="checkbox"
                value={name}
                checked={by.includes(name)}
                disabled={!by.includes(name) && by.length >= MOST_DIMENSIONS}
                onChange={() =>
                  onChange(by.includes(name) ? by.filter((each) => each !== name) : [...by, name])
                }
              />
              {wordsOf(name)}
            </label>
          </li>
        ))}
      </ul>
      <p className="quiet">Up to three, in the order in which they are chosen; none are single flows.</p>
    </Menu>
  );
}

function headOf(name: Dimension): string {
  return columnWords({ name, kind: 'text' }).head.toLowerCase();
}
