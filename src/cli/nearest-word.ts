/** What somebody may have meant who mistyped a word. */

/**
 * The known word that takes the fewest changes of a letter to get from `word`, if that is no more than a third of it;
 * undefined if none is near enough to be worth a question. Of equally near ones the first.
 */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Math.floor(word.length / 3) + 1;
  for (const candidate of known) {
    // Words differ by their lengths at least, so a text of any length costs little.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const changes = editDistance(word, candidate);
    if (changes >= least) continue;
    nearest = candidate;
    least = changes;
  }
  return nearest;
}

/** How many letters have to be put in, taken out or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
