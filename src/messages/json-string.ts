/** How strings of responses are written: JSON that is also safe inside HTML, as deployed peers have always got it. */

/** Writes a JSON string literal; besides what JSON requires, `<`, `>`, `&`, U+2028 and U+2029 are escaped. */
export function formatJsonString(value: string): string {
  let literal = JSON.stringify(value.toWellFormed());
  if (literal.includes("<")) literal = literal.replaceAll("<", "\\u003c");
  if (literal.includes(">")) literal = literal.replaceAll(">", "\\u003e");
  if (literal.includes("&")) literal = literal.replaceAll("&", "\\u0026");
  if (literal.includes("\u2028")) literal = literal.replaceAll("\u2028", "\\u2028");
  if (literal.includes("\u2029")) literal = literal.replaceAll("\u2029", "\\u2029");
  return literal;
}
