import { useState } from 'react';
import type { AnyQuestion } from '../asking.ts';
import { EXPORTS, type ExportKind, saveAnswer } from '../export.ts';
import { Menu } from './Menu.tsx';

interface ExportMenuProps {
  /** What is shown, as a question. */
  readonly question: AnyQuestion | undefined;
  /** What it is of: the beginning of the file's name. */
  readonly name: string;
}

const WORDS: Readonly<Record<ExportKind, string>> = {
  csv: 'CSV: plain numbers, all columns',
  json: 'JSON: as the API answers',
};

/** Saves what is shown. */
export function ExportMenu({ question, name }: ExportMenuProps) {
  const [problem, setProblem] = useState<string>();
  if (!question) return null;
  const save = (kind: ExportKind): void => {
    setProblem(undefined);
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
    saveAnswer(question, kind, `${name}-${stamp}`).catch((error: Error) => setProblem(error.message));
  };
  return (
    <Menu words="Export" testId="export">
      {(Object.keys(EXPORTS) as ExportKind[]).map((kind) => (
        <button
          key={kind}
          type="button"
          className="plain"
          data-testid={`export-${kind}`}
          onClick={() => save(kind)}
        >
          {WORDS[kind]}
        </button>
      ))}
      {problem !== undefined && <p role="alert">It could not be saved: {problem}</p>}
    </Menu>
  );
}
