/** Names as strangers give them, made fit to be shown. */

/** Longest name, characters: as of a domain (RFC 1035 section 2.3.4). */
const LONGEST = 253;
/** What is looked at of a text. */
const LOOKED_AT = 4096;
const SPACE = /[\t\n\v\f\r\u0085\p{Z}]+/gu;
/**
 * Kept are letters, marks, numbers, punctuation, symbols and the space. Controls, changes of direction, what is invisible, and
 * what is of nobody are not; nor what opens and closes a tag or an attribute of HTML.
 */
const UNFIT = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|\p{Default_Ignorable_Code_Point}|\u2800|[<>"`]/gu;

/** The name on one line, without what is unfit. @returns undefined when nothing is left of it */
export function printableName(text: string): string | undefined {
  const fit = text
    .slice(0, LOOKED_AT)
    .normalize('NFC')
    .replace(SPACE, ' ')
    .replace(UNFIT, '')
    .replace(/ {2,}/g, ' ')
    .normalize('NFC');
  const name = Array.from(fit.trim()).slice(0, LONGEST).join('').trim();
  return name === '' ? undefined : name;
}
