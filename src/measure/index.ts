export { ArrivalSums } from './arrivals.ts';
export { percentileNs } from './histogram.ts';
