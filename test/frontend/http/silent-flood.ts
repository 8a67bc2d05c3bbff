/** Opens connections and says nothing on them: `silent-flood.ts PORT COUNT`. Says so when all are open. */

import { argv } from "node:process";

const [port, count] = argv.slice(2).map(Number);
const BATCH = 200;

async function open(): Promise<void> {
  await Bun.connect({ hostname: "127.0.0.1", port: port ?? 0, socket: { data() {} } });
}

for (let opened = 0; opened < (count ?? 0); opened += BATCH) {
  await Promise.all(Array.from({ length: BATCH }, open));
}
process.stdout.write(`${count} open\n`);
setInterval(() => {}, 60_000);
