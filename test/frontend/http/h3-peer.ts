/** Makes one POST over HTTP/3 and prints what came of it. Its argument are the options of `postH3Alone`, and the URL. */

const { url, body, forwardedFor, caFile } = Object(JSON.parse(process.argv[2] ?? ""));

/** Milliseconds for everything: longer than a poll. */
const TIMEOUT = 20_000;

async function answer(): Promise<{ status?: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: body ?? "",
      headers: forwardedFor === undefined ? {} : { "X-Forwarded-For": forwardedFor },
      protocol: "http3",
      tls: { rejectUnauthorized: caFile !== undefined },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { text: String(error) };
  }
}

void answer().then((printed) => {
  console.log(JSON.stringify(printed));
  process.exit();
});
