/** The environment as the AWS SDK reads it: an endpoint of the test's, credentials that mean nothing, no files. */

import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class AwsEnvironment implements Disposable {
  /** What was there before. */
  readonly #before = new Map<string, string | undefined>();
  readonly #configFile = join(tmpdir(), `aws-config-${crypto.randomUUID()}`);

  /** `config`: what stands in the file of profiles. */
  constructor(endpoint: string, config = "") {
    for (const name of Object.keys(process.env)) {
      if (name.startsWith("AWS_")) this.#set(name, undefined);
    }
    writeFileSync(this.#configFile, config);
    this.#set("AWS_ENDPOINT_URL_SQS", endpoint);
    this.#set("AWS_ACCESS_KEY_ID", "id");
    this.#set("AWS_SECRET_ACCESS_KEY", "secret");
    this.#set("AWS_EC2_METADATA_DISABLED", "true");
    this.#set("AWS_CONFIG_FILE", this.#configFile);
    this.#set("AWS_SHARED_CREDENTIALS_FILE", `${this.#configFile}-credentials`);
  }

  #set(name: string, value: string | undefined): void {
    if (!this.#before.has(name)) this.#before.set(name, process.env[name]);
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }

  [Symbol.dispose](): void {
    for (const [name, value] of this.#before) this.#set(name, value);
    rmSync(this.#configFile);
  }
}
