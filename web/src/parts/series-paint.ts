/** What a chart on a canvas is painted with: the colours and patterns that style sheets give everything else. */
import type { Paint } from '../segments.ts';

/** Colours of the ground that the page has now. */
export interface SeriesInks {
  readonly quiet: string;
  readonly line: string;
  readonly hover: string;
  readonly paper: string;
  /** By tone. */
  readonly tones: ReadonlyMap<string, string>;
}

/** Reads the colours that hold in an element. @param tones classes that set `--tone` */
export function readInks(element: HTMLElement, tones: Iterable<string>): SeriesInks {
  const probe = document.createElement('span');
  element.append(probe);
  const colour = (variable: string): string => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
  const byTone = new Map<string, string>();
  for (const tone of tones) {
    probe.className = tone;
    byTone.set(tone, colour('--tone'));
  }
  const inks = {
    quiet: colour('--quiet'),
    line: colour('--line'),
    hover: colour('--hover'),
    paper: colour('--paper'),
    tones: byTone,
  };
  probe.remove();
  return inks;
}

/** Side of a pattern's tile, CSS pixels. */
const TILE = 7;

/** What fills a line of a paint: its tone, or its pattern on the tone. */
export function fillOf(
  context: CanvasRenderingContext2D,
  { tone, pattern }: Paint,
  inks: SeriesInks,
): CanvasPattern | string {
  const colour = inks.tones.get(tone) ?? inks.quiet;
  if (pattern === 0) return colour;
  const side = Math.round(TILE * devicePixelRatio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = side;
  const ink = tile.getContext('2d')!;
  ink.fillStyle = colour;
  ink.fillRect(0, 0, side, side);
  ink.fillStyle = ink.strokeStyle = inks.paper;
  ink.lineWidth = side / 4;
  ink.beginPath();
  if (pattern === 1) ink.rect(0, 0, side / 3, side);
  else if (pattern === 3) ink.arc(side / 2, side / 2, side / 4, 0, 2 * Math.PI);
  else {
    // Twice more around the corners, so that tiles join.
    for (const shift of [-side, 0, side]) {
      ink.moveTo(shift - 1, side + 1);
      ink.lineTo(shift + side + 1, -1);
    }
    ink.stroke();
    ink.beginPath();
  }
  ink.fill();
  return context.createPattern(tile, 'repeat') ?? colour;
}
