/** Answers as files, by the API, into the place where the browser puts them. */
import { type AnyQuestion, questionRequest } from './asking.ts';

/** Formats there are, by what the agent is asked for. */
export const EXPORTS = { csv: 'text/csv', json: 'application/json' } as const;
export type ExportKind = keyof typeof EXPORTS;

/** Asks and has the answer saved. @param name of the file, without its ending @throws Error that says why not */
export async function saveAnswer(question: AnyQuestion, kind: ExportKind, name: string): Promise<void> {
  const response = await fetch('api/v1/query', questionRequest(JSON.stringify(question), EXPORTS[kind]));
  if (!response.ok) {
    const { error = response.statusText } = (await response.json()) as { readonly error?: string };
    throw new Error(error);
  }
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `${name}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
