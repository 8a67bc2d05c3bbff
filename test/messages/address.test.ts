import { describe, expect, test } from "bun:test";
import { format } from "node:util";

import { Address } from "../../src/messages/address.ts";

describe("an address never shows itself", () => {
  const SECRET = "203.0.113.77";
  const SCRUBBED = "[scrubbed]";
  const address = new Address(SECRET);

  test.each([
    ["a string", String(address), SCRUBBED],
    ["concatenation", ["to", address].join(" "), `to ${SCRUBBED}`],
    ["JSON", JSON.stringify({ address }), `{"address":"${SCRUBBED}"}`],
    ["inspection", Bun.inspect(address), SCRUBBED],
    ["%s", format("%s", address), SCRUBBED],
    ["%o", format("%o", address), SCRUBBED],
    ["%O", format("%O", address), SCRUBBED],
    ["%j", format("%j", address), `"${SCRUBBED}"`],
    ["an argument", format("from", address), `from ${SCRUBBED}`],
  ])("in %s", (_, shown, expected) => {
    expect(shown).toBe(expected);
  });

  test("inside other things", () => {
    for (const value of [[address], { address }, new Map([[address, address]])]) {
      for (const shown of [Bun.inspect(value), format("%o", value), format("%O", value)]) {
        expect(shown).toContain(SCRUBBED);
        expect(shown).not.toContain(SECRET);
      }
    }
  });

  test("it has no property that could be enumerated or copied", () => {
    expect(Reflect.ownKeys(address)).toEqual([]);
    expect(JSON.stringify(Object.assign({}, address))).toBe("{}");
    expect(JSON.stringify(structuredClone(address))).toBe("{}");
  });

  test("on a console", () => {
    const path = JSON.stringify(Bun.resolveSync("../../src/messages/address.ts", import.meta.dir));
    // The address comes from the environment: an error shows the lines of its script.
    const script = `
      const { Address } = await import(${path});
      const address = new Address(process.env.SECRET);
      console.log(address, [address], { address });
      console.log("%s %o %O %j", address, address, address, address);
      console.log(\`\${address}\`, "" + address);
      console.table([{ address }]);
      console.dir({ address }, { depth: 5 });
      console.error(new Error("refused", { cause: address }));
      console.error(Object.assign(new Error(\`from \${address}\`), { address }));
    `;
    const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, "-e", script], {
      env: { ...process.env, SECRET },
    });
    expect(exitCode).toBe(0);
    expect(stdout.toString().split(SCRUBBED).length - 1).toBe(11);
    expect(stdout.toString()).not.toContain(SECRET);
    expect(stderr.toString()).toContain(`error: from ${SCRUBBED}`);
    expect(stderr.toString()).not.toContain(SECRET);
  });
});
