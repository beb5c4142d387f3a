/** The word that someone who mistyped probably meant. */

/** The nearest of the words, if any is near: one letter off in short words, two in long ones. A swap is one. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let least = typed.length <= 4 ? 1 : 2;
  if (typed.length > MAX_TYPED) return undefined;
  for (const each of words) {
    const apart = distance(typed, each.toLowerCase());
    // Of equally near ones the first, but what is right in all but case is nearest.
    if (apart < least || (apart === least && best === undefined)) {
      best = each;
      least = apart;
    }
  }
  return best;
}

/** Longer than any word there is, with mistakes. */
const MAX_TYPED = 40;

/** Letters to insert, leave out, replace or swap with their neighbour (Damerau and Levenshtein, neighbours swapped once). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
