/** What a NATS server wants to know of who connects. */

import {
  type Authenticator,
  credsAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";

/** Reads a `.creds` file of NATS, or one line `USER:PASSWORD`. Undefined: the text is neither. */
export function parseCredentials(text: string): Authenticator | undefined {
  if (text.includes("-----BEGIN NATS USER JWT-----")) return credsAuthenticator(Buffer.from(text));
  const [, user, password] = /^([^:\n]+):([^\n]+)$/.exec(text.trim()) ?? [];
  return user === undefined ? undefined : usernamePasswordAuthenticator(user, password);
}
