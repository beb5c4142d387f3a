/** Connections as a report: a line each, with when it began and how long it lasted (C10 of tc-flows' plans). */
import type { Connection } from '../measure/index.ts';
import { reportBytes } from './report.ts';

/** How connections are printed. */
export interface ConnectionTextOptions {
  /** Lines at most; the rest is said in a line. Default all. */
  readonly top?: number | undefined;
  readonly colour?: boolean;
}

const BOLD = 1;
const DIM = 2;
const HEADINGS = ['PROTOCOL', 'SOURCE', 'DESTINATION', 'PACKETS', 'BYTES', 'ANSWERS', 'BYTES'] as const;
/** As wide as the report's at least. */
const WIDTHS = [8, 21, 21, 7, 7, 7, 7] as const;
const MS_PER_SECOND = 1000;

/**
 * The connections in the order in which they began. PACKETS and BYTES went from who opened it, ANSWERS and the BYTES behind
 * them came back; all count the wire.
 */
export function formatConnections(
  connections: readonly Connection[],
  options: ConnectionTextOptions = {},
): string {
  const sorted = connections.toSorted((a, b) => a.startMs - b.startMs);
  const shown = sorted.slice(0, options.top);
  const cells = shown.map(({ protocol, source, destination, ...rest }) => [
    protocol,
    source,
    destination,
    String(rest.packets),
    reportBytes(rest.octets),
    String(rest.answerPackets),
    reportBytes(rest.answerOctets),
  ]);
  const widths = WIDTHS.map((least, i) => Math.max(least, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[], end: string): string =>
    `${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' ')} ${end}`.trimEnd();
  const paint = (text: string, code: number): string =>
    options.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const lines = [paint(line(HEADINGS, ''), BOLD), ...cells.map((row, i) => line(row, endOf(shown[i]!)))];
  if (shown.length < sorted.length)
    lines.push(paint(`and ${sorted.length - shown.length} more connections`, DIM));
  return `${lines.join('\n')}\n`;
}

/** `Connection started: 2022-02-16 18:30:33, duration: 325 ms`, and how it ended. */
function endOf({
  startMs,
  durationMs,
  protocol,
  close,
  isOpenerKnown,
  hasHandshake,
  tunnel,
}: Connection): string {
  const isTcp = protocol === 'TCP';
  const parts = [`duration: ${durationText(durationMs)}`, close];
  if (isTcp && !isOpenerKnown) parts.push('begun before it was seen');
  else if (isTcp && !hasHandshake && close !== 'refused') parts.push('no handshake');
  if (tunnel !== '') parts.push(tunnel);
  return `Connection started: ${timeText(startMs)}, ${parts.join(', ')}`;
}

/** Local time, seconds. */
function timeText(ms: number): string {
  const time = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** Milliseconds below ten seconds, then seconds, then minutes. */
function durationText(ms: number): string {
  if (ms < 10 * MS_PER_SECOND) return `${ms < 10 ? ms.toFixed(3) : ms.toFixed(0)} ms`;
  const seconds = ms / MS_PER_SECOND;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
