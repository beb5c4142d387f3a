export { ArrivalSums } from './arrivals.ts';
export { percentileNs } from './histogram.ts';
export { GROUPINGS, type Grouping, Measured, type MeasuredGroup, type MeasuredOptions } from './measured.ts';
export { type FlowWords, flowWords } from './words.ts';
