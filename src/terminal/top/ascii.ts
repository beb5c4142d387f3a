/** What stands in place of signs that a terminal without Unicode does not have. Each is one character, as the sign is. */

const SIGNS: Readonly<Record<string, string>> = {
  '█': '#',
  '▉': '#',
  '▊': '#',
  '▋': '#',
  '▌': '=',
  '▍': '=',
  '▎': '-',
  '▏': '-',
  '▁': '_',
  '▂': '.',
  '▃': ':',
  '▄': '-',
  '▅': '=',
  '▆': '+',
  '▇': '*',
  '■': '*',
  '●': '*',
  '◐': '~',
  '▲': '!',
  '›': '>',
  '▾': 'v',
  '▴': '^',
  '…': '.',
  '–': '-',
  '·': '.',
  '×': 'x',
  '’': "'",
  µ: 'u',
  '↑': '^',
  '↓': 'v',
  '←': '<',
  '→': '>',
};

/** The text in ASCII; what has no likeness is a question mark. */
export function asciiOf(text: string): string {
  return text.replace(/[\u{80}-\u{10ffff}]/gu, (sign) => SIGNS[sign] ?? '?');
}

/** Whether a terminal shows Unicode, by the locale (POSIX: the first of these that is set). */
export function isUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = environment;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((each) => each !== undefined && each !== '');
  return /utf-?8/i.test(locale ?? '');
}
