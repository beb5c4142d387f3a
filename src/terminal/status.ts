/** The monitor's one line: how fast, how many, can it be trusted. */
import { bitRateQuantity, countQuantity, excludedOf, formatQuantity, shareQuantity } from '../flow/index.ts';
import type { Exactness, View } from '../query/index.ts';

/** What the line needs beside the view. */
export interface StatusOptions {
  /** Uniflows known now. */
  readonly flows: number;
  /** Columns of the terminal; the line is never wider. */
  readonly width: number;
  /** Unix time, milliseconds: a view that is too old says so. */
  readonly nowMs: number;
}

/**
 * The line, without newline. Where it does not fit, parts are left out from the least important: epoch, flows, rate
 * outside tunnels; how far the numbers can be trusted stays longest.
 *
 * @param view any live view; its segments and exactness are of the whole host whatever was asked
 */
export function formatStatus(view: View, options: StatusOptions): string {
  const rate = (isTunnelled: boolean): string => {
    const segments = view.segments.filter((segment) => (segment.id !== 'none') === isTunnelled);
    return formatQuantity(bitRateQuantity(segments.reduce((sum, segment) => sum + segment.octetRate, 0)));
  };
  const ageMs = options.nowMs - view.atMs;
  const isStale = view.epoch > 0 && ageMs > 3000 * view.intervalSeconds;
  // In the order they are left out when the terminal is too narrow, last first.
  const parts = [
    `${rate(true)} in tunnels`,
    isStale ? `stale for ${Math.round(ageMs / 1000)} s` : exactnessText(view.exactness),
    `${rate(false)} outside`,
    `${formatQuantity(countQuantity(options.flows))} ${options.flows === 1 ? 'flow' : 'flows'}`,
    `epoch ${view.epoch}`,
  ];
  const order = [0, 2, 3, 1, 4];
  for (let kept = parts.length; kept > 1; kept--) {
    const line = order
      .filter((part) => part < kept)
      .map((part) => parts[part])
      .join(' · ');
    if (line.length <= options.width) return line;
  }
  return parts[0]!.slice(0, Math.max(0, options.width));
}

/** `all counted`, or what is not, the gravest first. */
export function exactnessText({ seen, overflow, ledger, unexplained, outside }: Exactness): string {
  if (unexplained.packets !== 0 || unexplained.octets !== 0) {
    const share = shareQuantity(Math.abs(unexplained.octets), seen.octets);
    return `${formatQuantity(share)} unexplained`;
  }
  if (outside.packets > 0 || outside.octets > 0) {
    const { packets, octets } = outside;
    return packets > 0
      ? `${formatQuantity(countQuantity(packets))} ${packets === 1 ? 'packet' : 'packets'} unexplained`
      : `${formatQuantity(countQuantity(octets))} octets unexplained`;
  }
  if (overflow.packets > 0)
    return `${formatQuantity(shareQuantity(overflow.octets, seen.octets))} without detail`;
  const excluded = excludedOf(ledger).packets;
  const packets = ledger.reduce((sum, line) => sum + line.packets, 0) - excluded;
  if (packets === 0 && excluded > 0)
    return `${formatQuantity(countQuantity(excluded))} ${excluded === 1 ? 'packet' : 'packets'} excluded by the rules`;
  if (packets === 0) return 'all counted';
  return `${formatQuantity(countQuantity(packets))} ${packets === 1 ? 'packet' : 'packets'} not in a flow`;
}
