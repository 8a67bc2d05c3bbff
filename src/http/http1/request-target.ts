/** The target of a request line (RFC 9112, section 3.2), and `Host`. */

export interface Target {
  /** As a handler gets it: path and query, or `*`, or the authority of CONNECT. */
  readonly text: string;
  /** Of a target in absolute-form. It takes the place of `Host`. */
  readonly authority: string | undefined;
}

/** Scheme and authority of a target in absolute-form. */
const ABSOLUTE_FORM = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]+)/;

/** RFC 3986, sections 3.2.2 and 3.2.3: an address in brackets or a name, and a port. */
const HOST =
  /^(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?$/;

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Whether this may be the value of `Host`. It may be empty. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/** The target, which has no white space and no control characters; undefined if it is malformed. */
export function parseTarget(method: string, text: string): Target | undefined {
  if (text.startsWith("/")) return parsePath(text, undefined);
  if (method === "CONNECT") {
    return text !== "" && isHost(text) ? { text, authority: undefined } : undefined;
  }
  if (text === "*") return { text, authority: undefined };
  const [prefix, authority] = ABSOLUTE_FORM.exec(text) ?? [];
  if (prefix === undefined || authority === undefined || !isHost(authority)) return undefined;
  const path = text.slice(prefix.length);
  return parsePath(path.startsWith("/") ? path : `/${path}`, authority);
}

/** As Go has it, each `%` of the path must be an escape; the query is the handler's. */
function parsePath(text: string, authority: string | undefined): Target | undefined {
  if (text.includes("%")) {
    const [path = ""] = text.split("?", 1);
    if (BAD_ESCAPE.test(path)) return undefined;
  }
  return { text, authority };
}
