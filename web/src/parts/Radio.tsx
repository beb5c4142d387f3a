import { memo } from 'react';

interface RadioProps {
  readonly name: string;
  readonly value: string;
  readonly isChosen: boolean;
  /** Must stay the same function from update to update. */
  readonly onChoose: (value: string) => void;
}

/** A radio button. React writes the name and kind of one anew whenever it meets it, so it meets it only when needed. */
export const Radio = memo(function Radio({ name, value, isChosen, onChoose }: RadioProps) {
  return <input type="radio" name={name} value={value} checked={isChosen} onChange={() => onChoose(value)} />;
});
