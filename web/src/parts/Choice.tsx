import { useId } from 'react';

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly value: T;
  readonly testId: string;
  readonly onChange: (value: T) => void;
}

/** A few options of which one holds: radio buttons that look like one control. */
export function Choice<T extends string>({ legend, options, value, testId, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="choice" data-testid={testId}>
      <legend className="unseen">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} title={option.hint} data-testid={`${testId}-${option.value}`}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
