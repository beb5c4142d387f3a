export { type Compared, comparedOf } from './compared.ts';
export { Counted, type CountedSums } from './counted.ts';
export { counterUnit, distance, distanceOf, type Sums } from './counter-unit.ts';
export { hintOf } from './hint.ts';
export { type RecordedSums, recordedSums } from './recorded.ts';
export {
  addTo,
  type CounterPlace,
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
