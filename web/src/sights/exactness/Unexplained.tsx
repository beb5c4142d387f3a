import type { Audit } from '../../../../src/query/index.ts';
import { momentWords } from '../../time-words.ts';
import { exactly } from '../../words.ts';
import { UnexplainedTable } from './UnexplainedTable.tsx';

/** Since when something stands unexplained, and how that went: every change at every observation point, the newest first. */
export function Unexplained({ audit }: { readonly audit: Audit }) {
  const { persistentEpochs } = audit;
  const nowMs = Date.now();
  const changes = audit.points
    .flatMap(({ interfaceName, direction, changes }) =>
      changes.map((change) => ({ ...change, point: `${interfaceName} ${direction}` })),
    )
    .toSorted((a, b) => b.atMs - a.atMs);
  return (
    <>
      <h2>
        Unexplained, over time <span className="quiet">since the agent’s start</span>
      </h2>
      {changes.length === 0 ? (
        <p data-testid="never-unexplained">
          Nothing has ever stood unexplained. What is only under way at the end of an epoch does not count: a
          difference is one when it stands for {persistentEpochs} epochs.
        </p>
      ) : (
        <UnexplainedTable testId="unexplained" when="From">
          {changes.map(({ atMs, point, packets, octets }) => (
            <tr
              key={`${point} ${atMs}`}
              data-testid="unexplained-from"
              data-at={atMs}
              data-point={point}
              data-packets={packets}
              data-octets={octets}
            >
              <th scope="row">{momentWords(atMs, { nowMs })}</th>
              <td className="mono">{point}</td>
              <td className="numeric">{exactly(packets)}</td>
              <td className="numeric">{exactly(octets)}</td>
              <td>
                {packets === 0 && octets === 0
                  ? 'all is explained again'
                  : `stood for ${persistentEpochs} epochs by then`}
              </td>
            </tr>
          ))}
        </UnexplainedTable>
      )}
    </>
  );
}
