/** From the octets of a terminal to keys, the mouse and what was pasted. */
import { StringDecoder } from 'node:string_decoder';

/** Keys that are no character, as {@link KeyReader} names them. */
export type KeyName =
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backtab'
  | 'backspace'
  | 'delete'
  | 'insert'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'pageup'
  | 'pagedown';

/** What a terminal tells. Places are from 0. */
export type TerminalInput =
  /** A character, or a key by its {@link KeyName}; with Ctrl `ctrl-c`. */
  | { readonly kind: 'key'; readonly key: string }
  /** One that a terminal says was pasted: no key is meant. */
  | { readonly kind: 'pasted'; readonly text: string }
  | {
      readonly kind: 'mouse';
      readonly action: 'press' | 'release' | 'wheel-up' | 'wheel-down';
      readonly row: number;
      readonly column: number;
    }
  /** The answer to {@link ASK_GROUND}. */
  | { readonly kind: 'ground'; readonly isDark: boolean };

/** Asks which colour the ground has (xterm, OSC 11). Terminals that do not know it say nothing. */
export const ASK_GROUND = '\x1b]11;?\x1b\\';

/** Longest sequence that is waited for; what is longer is none, or was pasted. */
const LONGEST = 4096;
const ESCAPE = '\x1b';
const BELL = '\x07';
const PASTE_END = '\x1b[201~';

const FINALS: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
};
const NUMBERS: Readonly<Record<string, KeyName>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
};
const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
};

/** What one sequence means, and how long it is; undefined where it is not complete. */
type Found = { readonly length: number; readonly input?: TerminalInput } | undefined;

/** Reads incrementally: sequences may come in pieces. */
export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #waiting = '';
  #pasted: string | undefined;

  /** Whether an escape waits, which is a key if nothing follows at once: see {@link flush}. */
  get isWaiting(): boolean {
    return this.#pasted === undefined && this.#waiting === ESCAPE;
  }

  /** Takes octets. @returns what is complete */
  read(octets: Uint8Array): TerminalInput[] {
    this.#waiting += this.#decoder.write(octets);
    const inputs: TerminalInput[] = [];
    while (this.#waiting !== '') {
      if (this.#pasted !== undefined) {
        const pasted = this.#paste();
        if (!pasted) break;
        inputs.push(pasted);
        continue;
      }
      const found = sequenceAt(this.#waiting);
      if (!found) {
        if (this.#waiting.length <= LONGEST) break;
        this.#waiting = '';
        break;
      }
      this.#waiting = this.#waiting.slice(found.length);
      if (found.input?.kind === 'pasted') this.#pasted = '';
      else if (found.input) inputs.push(found.input);
    }
    return inputs;
  }

  /** Nothing came for a moment: an escape that waits was the key. */
  flush(): TerminalInput[] {
    if (!this.isWaiting) return [];
    this.#waiting = '';
    return [{ kind: 'key', key: 'escape' }];
  }

  /** Everything up to the end of what is pasted, or as much as is kept of it. */
  #paste(): TerminalInput | undefined {
    const end = this.#waiting.indexOf(PASTE_END);
    if (end < 0) {
      // The end may have come in part.
      const sure = Math.max(0, this.#waiting.length - PASTE_END.length + 1);
      this.#pasted = (this.#pasted + this.#waiting.slice(0, sure)).slice(0, LONGEST);
      this.#waiting = this.#waiting.slice(sure);
      return undefined;
    }
    const text = (this.#pasted + this.#waiting.slice(0, end)).slice(0, LONGEST);
    this.#waiting = this.#waiting.slice(end + PASTE_END.length);
    this.#pasted = undefined;
    return { kind: 'pasted', text };
  }
}

function sequenceAt(text: string): Found {
  const first = String.fromCodePoint(text.codePointAt(0)!);
  if (first === ESCAPE) return escapeAt(text);
  const control = CONTROLS[first];
  if (control) return key(first.length, control);
  const code = first.codePointAt(0)!;
  if (code === 0) return key(1, 'ctrl-space');
  if (code < 0x20) return key(1, `ctrl-${String.fromCharCode(code + 0x60)}`);
  return key(first.length, first);
}

function escapeAt(text: string): Found {
  const second = text[1];
  if (second === undefined) return undefined;
  if (second === '[') return controlAt(text);
  if (second === 'O') {
    const final = text[2];
    return final === undefined ? undefined : keyed(3, FINALS[final]);
  }
  if (']P_^X'.includes(second)) return stringAt(text);
  // No key here has Alt: what comes so fast behind Escape was typed ahead, or came in one piece over a slow line.
  return key(1, 'escape');
}

/** CSI: parameters, intermediates, a final (ECMA-48 section 5.4). */
function controlAt(text: string): Found {
  const match = /^\[([0-?]*)[ -/]*([@-~])/.exec(text.slice(1));
  if (!match) {
    // What cannot be completed any more is no sequence.
    const broken = /^\[[0-?]*[ -/]*[^ -~]/.exec(text.slice(1));
    return broken ? { length: broken[0].length } : undefined;
  }
  const [whole, parameters = '', final = ''] = match;
  const length = 1 + whole.length;
  if (/^<\d+;\d+;\d+$/.test(parameters) && (final === 'M' || final === 'm'))
    return mouse(length, parameters.slice(1).split(';').map(Number), final === 'M');
  if (final !== '~') return keyed(length, FINALS[final]);
  const number = parameters.split(';')[0]!;
  if (number === '200') return { length, input: { kind: 'pasted', text: '' } };
  return keyed(length, NUMBERS[number]);
}

/** OSC, DCS, APC, PM and SOS: up to ST or BEL. */
function stringAt(text: string): Found {
  const ends = [BELL, `${ESCAPE}\\`].flatMap((end) => {
    const at = text.indexOf(end);
    return at < 0 ? [] : [at + end.length];
  });
  if (ends.length === 0) return undefined;
  const length = Math.min(...ends);
  const rgb = /^\]11;rgba?:([0-9a-f]+)\/([0-9a-f]+)\/([0-9a-f]+)/i.exec(text.slice(1, length));
  if (!rgb) return { length };
  const [red = 0, green = 0, blue = 0] = rgb
    .slice(1, 4)
    .map((digits) => Number.parseInt(digits, 16) / (16 ** digits.length - 1));
  // Rec. 709: how bright it is to an eye.
  return {
    length,
    input: { kind: 'ground', isDark: 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 },
  };
}

/** SGR mouse (xterm, mode 1006): button with modifiers, column and row from 1. */
function mouse(length: number, [button = 0, column = 1, row = 1]: number[], isPress: boolean): Found {
  const place = { row: Math.max(0, row - 1), column: Math.max(0, column - 1) };
  // Bits 2 to 4 are Shift, Meta and Ctrl.
  const which = button & ~0b11100;
  if (which === 64 || which === 65)
    return { length, input: { kind: 'mouse', action: which === 64 ? 'wheel-up' : 'wheel-down', ...place } };
  if (which !== 0) return { length };
  return { length, input: { kind: 'mouse', action: isPress ? 'press' : 'release', ...place } };
}

function key(length: number, name: string): Found {
  return { length, input: { kind: 'key', key: name } };
}

/** A sequence of a key that is not known is no key. */
function keyed(length: number, name: KeyName | undefined): Found {
  return name === undefined ? { length } : key(length, name);
}
