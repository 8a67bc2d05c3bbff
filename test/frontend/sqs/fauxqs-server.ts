/** A stand-in for SQS on the loopback interface, for a process of its own: prints its port, then serves until its input ends. */

import { buildApp } from "fauxqs";

import { INVALID_MESSAGE_BODY_CHAR } from "../../../node_modules/fauxqs/dist/sqs/sqsTypes.js";

// It takes both halves of a character beyond U+FFFF for invalid ones. The service takes U+10000 to U+10FFFF, too.
INVALID_MESSAGE_BODY_CHAR.test = (text) =>
  /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(text);

const app = buildApp({ logger: false });
const listening = await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
process.stdin.resume().on("end", () => process.exit());
console.log(new URL(listening).port);
