/** Segments as people meet them, on the page and in the terminal: one colour each, an order, a name. */
import { isTunnelName, TUNNEL, tunnelWords } from '../flow/index.ts';

/** How many colours there are; each view has its own of them, for light grounds and for dark ones. */
export const TONES = 10;

/** Which of the colours a segment has: by its id alone; neighbouring ids have different ones. Not of `none`, which is grey. */
export function toneOf(id: string): number {
  const [kind = '', number = '0'] = id.split(':');
  return (Number(number) + (kind === 'vxlan' ? 0 : segmentHash(kind))) % TONES;
}

/** A number of 32 bits from a segment's id, or a part of it (FNV-1a). */
export function segmentHash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** Plain traffic first, then by tunnel type and number. */
export function compareSegments(x: string, y: string): number {
  if (x === 'none' || y === 'none') return x === y ? 0 : x === 'none' ? -1 : 1;
  const [kindX = '', numberX = ''] = x.split(':');
  const [kindY = '', numberY = ''] = y.split(':');
  return kindX === kindY ? Number(numberX) - Number(numberY) : kindX < kindY ? -1 : 1;
}

/** `VNI 10003`, `TEID 0x1a2b`, `plain traffic`: see {@link tunnelWords}. */
export function segmentName(id: string): string {
  if (id === 'none') return 'plain traffic';
  const [name = '', number] = id.split(':');
  return isTunnelName(name) ? tunnelWords(TUNNEL[name], Number(number)) : `${name} ${number}`;
}
