/** Writes the parts of the documentation that are made from the code. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { formatOptionsPage } from "../src/cli/help.ts";

writeFileSync(join(import.meta.dir, "../docs/options.md"), formatOptionsPage());
