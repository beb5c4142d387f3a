import { memo } from 'react';
import type { Quantity } from '../../../src/flow/index.ts';

/** A number with its unit small and muted. */
export const Amount = memo(function Amount({ quantity, className = '' }: AmountProps) {
  return (
    <span className={`amount ${className}`}>
      <span className="number">{quantity.number}</span>
      {quantity.unit !== '' && <span className="unit"> {quantity.unit}</span>}
    </span>
  );
}, saysTheSame);

interface AmountProps {
  readonly quantity: Quantity;
  readonly className?: string;
}

function saysTheSame(last: AmountProps, next: AmountProps): boolean {
  return (
    last.quantity.number === next.quantity.number &&
    last.quantity.unit === next.quantity.unit &&
    last.className === next.className
  );
}
