import type { ReactNode } from 'react';

interface UnexplainedTableProps {
  readonly testId: string;
  /** What the first column says: `From`. */
  readonly when: string;
  /** Rows. */
  readonly children: ReactNode;
}

/** A table of when, where and how much was unexplained. */
export function UnexplainedTable({ testId, when, children }: UnexplainedTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it
    <div className="short-scroll" tabIndex={0}>
      <table className="reasons" data-testid={testId}>
        <thead>
          <tr>
            <th scope="col">{when}</th>
            <th scope="col">Where</th>
            <th scope="col" className="numeric">
              Packets
            </th>
            <th scope="col" className="numeric">
              Octets
            </th>
            <th scope="col">What that says</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
