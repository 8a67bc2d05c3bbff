/** The system's name of an error, such as `ECONNREFUSED`; its text if it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
