export { type Compared, comparedOf } from './compared.ts';
export { Counted } from './counted.ts';
export { counterUnit, distance, distanceOf, type Sums } from './counter-unit.ts';
export { hintOf } from './hint.ts';
export { recordedSums } from './recorded.ts';
export {
  addTo,
  type ExactCount,
  insideOf,
  isNone,
  type LedgerTally,
  outsideOf,
  SpanSum,
  spanAnswer,
  type Tally,
  tally,
} from './span.ts';
