import { afterAll, describe, expect, test } from "bun:test";

import { expected, ONE_IPV6_NETWORK } from "./differences.ts";
import { parsePollReply, Peers, type PollFields } from "./peers.ts";
import { startTarget } from "./target.ts";

// The tests below run one after the other. No client comes, so that polls that are let in wait until the broker ends.
const broker = await startTarget();
afterAll(() => broker[Symbol.asyncDispose]());
const peers = new Peers(broker.url);
let waiting = 0;

/** A proxy polls and is let in. */
async function isLetIn(fields: PollFields): Promise<void> {
  peers.poll(`s${waiting}`, fields);
  await peers.untilSessions(++waiting);
}

/** A proxy polls and is told to come back later; returns the ms until then. */
async function mustComeBack(fields: PollFields): Promise<number> {
  const { nextPoll, ...rest } = parsePollReply(await peers.poll("too soon", fields).text());
  expect(rest).toEqual({ status: "polled too soon", offer: "", nat: "", relayUrl: "" });
  return nextPoll;
}

test("an address that polls again in its interval is told when it may", async () => {
  const from = peers.newAddress();
  await isLetIn({ from });
  const first = await mustComeBack({ from });
  expect(first).toBeWithin(15_000, 20_001);
  // Polling too soon does not put it off.
  expect(await mustComeBack({ from })).toBeWithin(first - 5_000, first + 1);
});

test("pools do not count for each other, NAT types of one pool do", async () => {
  const from = peers.newAddress();
  await isLetIn({ from, nat: "open" });
  await mustComeBack({ from, nat: "unrestricted" });
  await isLetIn({ from, nat: "moderate" });
  await isLetIn({ from, nat: "restricted" });
  await mustComeBack({ from, nat: "strict" });
  await mustComeBack({ from, nat: "unknown" });
});

test("a poll with the wrong relay pattern does not count and is not limited", async () => {
  const from = peers.newAddress();
  const rejected = async () =>
    parsePollReply(await peers.poll("s", { from, pattern: "example.com" }).text()).status;
  expect(await rejected()).toBe("incorrect relay pattern");
  await isLetIn({ from });
  expect(await rejected()).toBe("incorrect relay pattern");
});

type Headers = Exclude<PollFields["from"], undefined>;

const forwarded = (value: string) => ["Forwarded", value] as const;
const forwardedFor = (value: string) => ["X-Forwarded-For", value] as const;

describe("two polls are from one address", () => {
  const cases: readonly (readonly [string, Headers, Headers])[] = [
    [
      "by the last element of X-Forwarded-For",
      [forwardedFor("192.0.2.1")],
      [forwardedFor("192.0.2.2, 192.0.2.1")],
    ],
    [
      "by the last header line",
      [forwardedFor("192.0.2.3")],
      [forwardedFor("192.0.2.4"), forwardedFor("192.0.2.3")],
    ],
    ["whatever the port", [forwardedFor("192.0.2.5")], [forwardedFor("192.0.2.5:4711")]],
    [
      "however IPv6 is written",
      [forwardedFor("2001:db8::6")],
      [forwardedFor("[2001:DB8:0:0::0006]:443")],
    ],
    [
      "if one is the other, mapped into IPv6",
      [forwardedFor("192.0.2.7")],
      [forwardedFor("::ffff:192.0.2.7")],
    ],
    ["private ones too", [forwardedFor("192.168.0.8")], [forwardedFor("192.168.0.8")]],
    [
      "by Forwarded rather than X-Forwarded-For",
      [forwardedFor("192.0.2.9")],
      [forwardedFor("192.0.2.10"), forwarded("for=192.0.2.9")],
    ],
    [
      "by the last element of Forwarded, quoted or not",
      [forwarded("for=192.0.2.11")],
      [forwarded('for=192.0.2.12, by=x;For="192.0.2.11:1";proto=https')],
    ],
    [
      "by X-Forwarded-For where Forwarded tells none",
      [forwardedFor("192.0.2.13")],
      [forwarded("for=192.0.2.14, for=_hidden"), forwardedFor("192.0.2.13")],
    ],
    [
      "by the socket where no header tells one",
      [forwardedFor("127.0.0.1")],
      [forwarded("for=unknown"), forwardedFor("192.0.2.15, somewhere")],
    ],
  ];
  test.each(cases)("%s", async (_, first, second) => {
    await isLetIn({ from: first, nat: "open" });
    await mustComeBack({ from: second, nat: "open" });
  });
});

test("two polls are from one address by the socket where there is no header", async () => {
  await isLetIn({ from: [], nat: "moderate" });
  await mustComeBack({ from: [forwardedFor("127.0.0.1")], nat: "moderate" });
});

test.each([
  ["two addresses of one /64", "2001:db8:0:3::1", "2001:db8:0:3:ffff::2"],
  ["one address in two zones", "fe80::1%a", "fe80::1%b"],
])("%s are one or two, as the broker has it", async (_, first, second) => {
  await isLetIn({ from: [forwardedFor(first)] });
  const again = { from: [forwardedFor(second)] };
  await (expected(ONE_IPV6_NETWORK) === "too soon" ? mustComeBack(again) : isLetIn(again));
});

describe("two polls are from different addresses", () => {
  const cases: readonly (readonly [string, Headers, Headers])[] = [
    [
      "if only the first elements are the same",
      [forwardedFor("198.51.100.1, 198.51.100.2")],
      [forwardedFor("198.51.100.1, 198.51.100.3")],
    ],
    [
      "if only X-Forwarded-For is the same, and Forwarded tells one",
      [forwardedFor("198.51.100.4"), forwarded("for=198.51.100.5")],
      [forwardedFor("198.51.100.4"), forwarded("for=198.51.100.6")],
    ],
    [
      "if their networks differ",
      [forwardedFor("2001:db8:0:1::1")],
      [forwardedFor("2001:db8:0:2::1")],
    ],
  ];
  test.each(cases)("%s", async (_, first, second) => {
    await isLetIn({ from: first });
    await isLetIn({ from: second });
  });
});
