/** What stands on a terminal as a page that a browser can take a picture of: text with the escapes for colours (ECMA-48 SGR). */

/** Ink and ground where a text says nothing, and the sixteen colours that a terminal chooses itself (those of xterm). */
const PLAIN = { ink: '#e8e6e1', ground: '#0f1214' } as const;
const SIXTEEN =
  '000000 cd0000 00cd00 cdcd00 5c5cff cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 7d7dff ff00ff 00ffff ffffff'
    .split(' ')
    .map((hex) => `#${hex}`);
/** Parts of the colours of xterm's cube. */
const STEPS = [0, 95, 135, 175, 215, 255] as const;

const SGR = new RegExp(`${'\x1b'}\\[([\\d;]*)m`);

interface Look {
  readonly ink: string | undefined;
  readonly ground: string | undefined;
  readonly isBold: boolean;
  readonly isUnderlined: boolean;
  readonly isReversed: boolean;
}

const NOTHING: Look = {
  ink: undefined,
  ground: undefined,
  isBold: false,
  isUnderlined: false,
  isReversed: false,
};

/** The page of a screen; its text is the element `pre`. */
export function terminalPage(screen: string): string {
  let look = NOTHING;
  const pieces = screen.split(SGR).map((piece, i) => {
    if (i % 2 === 0) return spanOf(piece, look);
    look = changed(look, piece === '' ? [0] : piece.split(';').map(Number));
    return '';
  });
  const style = `body{margin:0;background:${PLAIN.ground}}pre{display:inline-block;margin:0;padding:14px 16px;color:${PLAIN.ink};background:${PLAIN.ground};font:14px/18px "DejaVu Sans Mono",monospace}`;
  return `<!doctype html><meta charset="utf-8"><style>${style}</style><pre>${pieces.join('')}</pre>`;
}

function spanOf(text: string, look: Look): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  if (text === '' || look === NOTHING) return escaped;
  const [ink = PLAIN.ink, ground] = look.isReversed
    ? [look.ground ?? PLAIN.ground, look.ink ?? PLAIN.ink]
    : [look.ink, look.ground];
  const style = [
    `color:${ink}`,
    ...(ground === undefined ? [] : [`background:${ground}`]),
    ...(look.isBold ? ['font-weight:bold'] : []),
    ...(look.isUnderlined ? ['text-decoration:underline'] : []),
  ];
  return `<span style="${style.join(';')}">${escaped}</span>`;
}

function changed(before: Look, codes: readonly number[]): Look {
  let look = before;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 38 || code === 48) {
      const { colour, used } = ownColour(codes.slice(i + 1));
      look = { ...look, [code === 38 ? 'ink' : 'ground']: colour };
      i += used;
    } else look = { ...look, ...simple(code) };
    if (code === 0) look = NOTHING;
  }
  return look;
}

function simple(code: number): Partial<Look> {
  if (code === 1 || code === 22) return { isBold: code === 1 };
  if (code === 4 || code === 24) return { isUnderlined: code === 4 };
  if (code === 7 || code === 27) return { isReversed: code === 7 };
  if (code === 39) return { ink: undefined };
  if (code === 49) return { ground: undefined };
  if (code >= 30 && code <= 37) return { ink: SIXTEEN[code - 30]! };
  if (code >= 90 && code <= 97) return { ink: SIXTEEN[code - 82]! };
  if (code >= 40 && code <= 47) return { ground: SIXTEEN[code - 40]! };
  return code >= 100 && code <= 107 ? { ground: SIXTEEN[code - 92]! } : {};
}

/** A colour by its number of 256, or by its three parts. @returns with how many codes it took */
function ownColour([kind, ...rest]: readonly number[]): {
  readonly colour: string | undefined;
  readonly used: number;
} {
  if (kind === 2) return { colour: `rgb(${rest.slice(0, 3).join(',')})`, used: 4 };
  const number = rest[0] ?? 0;
  if (number < 16) return { colour: SIXTEEN[number]!, used: 2 };
  if (number >= 232) {
    const level = 8 + 10 * (number - 232);
    return { colour: `rgb(${level},${level},${level})`, used: 2 };
  }
  const part = (size: number): number => STEPS[Math.floor((number - 16) / size) % 6]!;
  return { colour: `rgb(${part(36)},${part(6)},${part(1)})`, used: 2 };
}
