import type { Quantity } from '../../../src/flow/index.ts';

/** A number with its unit small and muted. */
export function Amount({
  quantity,
  className = '',
}: {
  readonly quantity: Quantity;
  readonly className?: string;
}) {
  return (
    <span className={`amount ${className}`}>
      <span className="number">{quantity.number}</span>
      {quantity.unit !== '' && <span className="unit"> {quantity.unit}</span>}
    </span>
  );
}
