import type { AnswerProblem } from '../asking.ts';

/** Why there is no answer, and what to do; nothing while there is one. */
export function Problem({ problem }: { readonly problem: AnswerProblem | undefined }) {
  if (!problem) return null;
  const { status, message, remedy } = problem;
  return (
    <div className="problem" data-testid="problem" role="status">
      <p>
        <strong>{status === 0 ? 'The agent could not be asked.' : 'There is no answer.'}</strong> {message}
      </p>
      {remedy !== undefined && <p>{remedy}</p>}
      {status === 404 && (
        <p>
          Start the agent with <code>--history DIR</code> to keep what it meters.
        </p>
      )}
    </div>
  );
}
