/** Captured packets to flow batches: the kernel's parser and records, without a kernel. */
export { type Drained, type Parsed, ReplayMeter, type ReplayOptions } from './meter.ts';
export { CaptureSource, type CaptureSourceOptions, type ReadProgress } from './source.ts';
