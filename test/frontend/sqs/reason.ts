/** Why the promise rejects. Throws if it does not. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it does not reject: ${String(value)}`);
}
