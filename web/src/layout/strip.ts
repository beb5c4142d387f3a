import type { View } from '../../../src/query/index.ts';

/** The strip under the chord, in its own pixels. */
export interface StripLayout {
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Where the present window begins. */
  readonly windowX: number;
  /** Highest rate, octets per second. */
  readonly peak: number;
  /** What the whole width stands for. */
  readonly spanWords: string;
  /** What its edges are: `5 min ago` and `now`; of captures their own times, UTC. */
  readonly edgeWords: readonly [begin: string, end: string];
}

/** Epochs the whole width stands for. */
const EPOCHS = 300;

/** Places the history on a strip; the right edge is the end of the newest epoch. */
export function stripPoints(
  view: Pick<View, 'history' | 'atMs' | 'intervalSeconds' | 'windowSeconds' | 'question' | 'isRecorded'>,
  { width, height }: { width: number; height: number },
): StripLayout {
  const spanMs = EPOCHS * view.intervalSeconds * 1000;
  const peak = view.history.reduce((most, epoch) => Math.max(most, epoch.octetRate), 0);
  const x = (atMs: number): number => width - ((view.atMs - atMs) / spanMs) * width;
  const points = view.history
    .filter((epoch) => epoch.atMs >= view.atMs - spanMs)
    .map(
      ({ atMs, octetRate }) =>
        [x(atMs), height - 1 - (peak > 0 ? (octetRate / peak) * (height - 4) : 0)] as const,
    );
  const windowX = view.question.window === 'all' ? 0 : Math.max(0, x(view.atMs - view.windowSeconds * 1000));
  const minutes = spanMs / 60_000;
  const spanWords = minutes >= 1 ? `${Math.round(minutes)} min` : `${Math.round(spanMs / 1000)} s`;
  return {
    points,
    windowX,
    peak,
    spanWords,
    edgeWords: view.isRecorded
      ? [timeWords(view.atMs - spanMs), `${timeWords(view.atMs).slice('YYYY-MM-DD '.length)} UTC`]
      : [`${spanWords} ago`, 'now'],
  };
}

/** `2026-11-21 10:20:27` */
function timeWords(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DD hh:mm:ss'.length).replace('T', ' ');
}
