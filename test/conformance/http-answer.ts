/** What a broker makes of one request on a connection of its own, and what the vectors say it should. */

import { RawConnection } from "../frontend/http/raw-http.ts";
import vectors from "../vectors/http.json";

/** A response, and what became of its connection. One character is one byte. */
export interface HttpAnswer {
  /** Empty if there was no response. */
  readonly statusLine: string;
  /** `name: value`, names in lower case, without `date`; sorted, as their order means nothing. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly connection: ConnectionEnd;
}

/** Whether a second request was answered on the connection. */
export type ConnectionEnd = "keep-alive" | "close" | "closed without any response";

type Vector = (typeof vectors.cases)[number];

/** The request of a vector. The file cuts long bodies: `...(N bytes)` says how long the whole request is. */
export function requestOfVector({ request }: Vector): string {
  const cut = /\.\.\.\((\d+) bytes\)$/.exec(request);
  return cut === null ? request : request.slice(0, cut.index).padEnd(Number(cut[1]), " ");
}

/** What upstream answers. */
export function answerOfVector(name: string): HttpAnswer {
  const vector = vectors.cases.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`there is no vector ${name}`);
  return asOfGo126({
    statusLine: vector.status_line ?? "",
    headers: sortedHeaders(vector.headers ?? []),
    body: vector.body ?? "",
    connection: parseConnectionEnd(vector.connection),
  });
}

/** The redirect that Go 1.26 sends instead of the 301 of Go 1.25, which the vectors have; any other answer unchanged. */
export function asOfGo126(answer: HttpAnswer): HttpAnswer {
  if (answer.statusLine !== "HTTP/1.1 301 Moved Permanently") return answer;
  const body = answer.body.replace("Moved Permanently", "Temporary Redirect");
  const redirect = { ...answer, statusLine: "HTTP/1.1 307 Temporary Redirect", body };
  return body === ""
    ? redirect
    : withHeader(withoutHeader(redirect, "content-length"), `content-length: ${body.length}`);
}

/** The same answer with one more header. */
export function withHeader(answer: HttpAnswer, header: string): HttpAnswer {
  return { ...answer, headers: sortedHeaders([...answer.headers, header]) };
}

/** The same answer without a header. */
export function withoutHeader(answer: HttpAnswer, name: string): HttpAnswer {
  return { ...answer, headers: answer.headers.filter((line) => !line.startsWith(`${name}:`)) };
}

/** Sends bytes on a new connection, reads the response, then sees whether the connection serves another request. */
export async function exchange(port: number, request: string): Promise<HttpAnswer> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(request);
    const answered = await readResponse(connection, request.startsWith("HEAD "));
    if (answered === undefined) {
      return { statusLine: "", headers: [], body: "", connection: "closed without any response" };
    }
    connection.received = answered.rest;
    connection.send(ANOTHER_REQUEST);
    const another = await readResponse(connection, false);
    if (another !== undefined && !another.body.startsWith("User-agent:")) {
      throw new Error(`the response to another request is ${another.statusLine}`);
    }
    const { statusLine, headers, body } = answered;
    const end = another === undefined ? "close" : "keep-alive";
    return { statusLine, headers: sortedHeaders(headers), body, connection: end };
  } finally {
    connection.end();
  }
}

const ANOTHER_REQUEST = "GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n";

interface Response {
  readonly statusLine: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** What was received after it. */
  readonly rest: string;
}

/** The next response; undefined if the connection closes without one. Rejects after a few seconds. */
async function readResponse(
  connection: RawConnection,
  toHead: boolean,
): Promise<Response | undefined> {
  let response: Response | undefined;
  await connection.until(({ received, closed }) => {
    response = parseResponse(received, closed, toHead);
    return closed || response !== undefined;
  });
  if (response === undefined && connection.received !== "") {
    throw new Error(`the connection closed after ${JSON.stringify(connection.received)}`);
  }
  return response;
}

/** The response at the beginning of a text; undefined if it is not complete. Chunked bodies are not known here. */
function parseResponse(received: string, closed: boolean, toHead: boolean): Response | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [statusLine = "", ...headers] = received.slice(0, headEnd).split("\r\n");
  const afterHead = received.slice(headEnd + 4);
  const length = toHead ? 0 : declaredLength(headers);
  if (length === undefined ? !closed : afterHead.length < length) return undefined;
  return {
    statusLine,
    headers,
    body: afterHead.slice(0, length),
    rest: afterHead.slice(length ?? afterHead.length),
  };
}

/** The length of a body in bytes; undefined: up to the end of the connection. */
function declaredLength(headers: readonly string[]): number | undefined {
  const line = headers.find((header) => /^content-length:/i.test(header));
  return line === undefined ? undefined : Number(line.slice(line.indexOf(":") + 1));
}

function sortedHeaders(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter((line) => !line.startsWith("date:"))
    .toSorted();
}

function parseConnectionEnd(text: string): ConnectionEnd {
  if (text === "keep-alive" || text === "close" || text === "closed without any response") {
    return text;
  }
  throw new Error(`the vectors say that a connection is ${text}`);
}
