import { type KeyboardEvent, useRef, useState } from 'react';
import type { Exactness } from '../../../src/query/index.ts';
import { trust } from '../words.ts';
import { PointTable, SPANS, type Span, useAudit } from './Audit.tsx';
import { Choice } from './Choice.tsx';

interface TrustGaugeProps {
  readonly exactness: Exactness;
  readonly epoch: number;
}

/** Can the numbers be trusted? Always in sight; opens into the ledger of every observation point. */
export function TrustGauge({ exactness, epoch }: TrustGaugeProps) {
  const judged = trust(exactness);
  const [isOpen, setOpen] = useState(false);
  const [span, setSpan] = useState<Span>('sinceStart');
  const summary = useRef<HTMLElement>(null);
  const { audit, failure } = useAudit(isOpen, epoch);
  // Escape closes this and does not also leave the view.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    setOpen(false);
    summary.current?.focus();
  };
  return (
    <details
      className={`trust is-${judged.state}`}
      data-testid="exactness"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={onKeyDown}
    >
      <summary ref={summary}>
        <span aria-hidden="true" className="sign">
          {judged.state === 'exact' ? '✓' : '▲'}
        </span>
        {judged.words}
      </summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        <section className="panel audit-panel" data-testid="audit" aria-label="Audit" tabIndex={0}>
          <p>
            What the interfaces counted themselves, what the hooks saw, and where all of it is. {judged.more}.
          </p>
          <Choice legend="Span" testId="audit-span" options={SPANS} value={span} onChange={setSpan} />
          {failure !== undefined && <p role="status">The audit could not be read: {failure}</p>}
          {audit?.points.map((point) => (
            <PointTable
              key={`${point.ifindex} ${point.direction}`}
              point={point}
              sums={point[span]}
              remark={point.present ? undefined : 'gone'}
            />
          ))}
        </section>
      )}
    </details>
  );
}
