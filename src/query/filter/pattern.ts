/** Names by pattern: `*` for any characters, `?` for one. */

/** Whether a name fits a pattern, in time of at most their lengths multiplied. */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let wanted = 0;
  /** The last star, and where what it stands for ends so far. */
  let [star, starEnd] = [-1, 0];
  while (at < name.length) {
    if (pattern[wanted] === '*') {
      star = wanted++;
      starEnd = at;
    } else if (wanted < pattern.length && (pattern[wanted] === '?' || pattern[wanted] === name[at])) {
      at++;
      wanted++;
    } else if (star >= 0) {
      at = ++starEnd;
      wanted = star + 1;
    } else return false;
  }
  while (pattern[wanted] === '*') wanted++;
  return wanted === pattern.length;
}
