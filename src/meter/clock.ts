/** The kernel's clock: what a jiffy is on this machine. */

/** One reading of jiffies and of CLOCK_MONOTONIC at the same moment. */
export interface ClockReading {
  readonly jiffies: bigint;
  readonly monotonicNs: bigint;
}

/** The tick rates Linux can be built with (kernel/Kconfig.hz; alpha's 1024 included). */
const TICKS_PER_SECOND = [100, 250, 300, 1000, 1024] as const;

/** Length of a jiffy in milliseconds, from two readings at least some ticks apart: the nearest of the kernel's rates. */
export function tickMs(first: ClockReading, second: ClockReading): number {
  const elapsedMs = Number(second.monotonicNs - first.monotonicNs) / 1e6;
  const measured = Number(second.jiffies - first.jiffies) / (elapsedMs / 1000);
  const nearest = TICKS_PER_SECOND.reduce((best, rate) =>
    Math.abs(Math.log(rate / measured)) < Math.abs(Math.log(best / measured)) ? rate : best,
  );
  return 1000 / nearest;
}
