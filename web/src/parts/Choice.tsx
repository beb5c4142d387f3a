import { useId } from 'react';
import { useNewest } from '../hooks.ts';
import { Radio } from './Radio.tsx';

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  /** Undefined where none of them holds. */
  readonly value: T | undefined;
  readonly testId: string;
  readonly onChange: (value: T) => void;
}

/** A few options of which one holds: radio buttons that look like one control. */
export function Choice<T extends string>({ legend, options, value, testId, onChange }: ChoiceProps<T>) {
  const name = useId();
  const choose = useNewest((chosen: string) => {
    const option = options.find((one) => one.value === chosen);
    if (option) onChange(option.value);
  });
  return (
    <fieldset className="choice" data-testid={testId}>
      <legend className="unseen">{legend}</legend>
      {options.map((option) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: a Radio is its control
        <label key={option.value} title={option.hint} data-testid={`${testId}-${option.value}`}>
          <Radio name={name} value={option.value} isChosen={option.value === value} onChoose={choose} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
