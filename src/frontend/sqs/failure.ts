/**
 * Failed calls, as they may be logged. What an error says can repeat the name of a client's queue or part of a
 * message, so only what is known not to is let through.
 */

/** What kind of failure it is: the service's or the system's word for it. Says nothing of the call's arguments. */
export function failureKind(error: unknown): string {
  return (
    systemCode(error) ??
    unreadableStatus(error) ??
    (error instanceof Error ? error.name : "unknown")
  );
}

/**
 * The failure in full if the service or the system describes it, else its kind. Only for calls that name no client:
 * the service's descriptions name the queue.
 */
export function failureText(error: unknown): string {
  const isDescribed = isServiceError(error) || systemCode(error) !== undefined;
  return isDescribed && error instanceof Error
    ? `${failureKind(error)}: ${error.message}`
    : failureKind(error);
}

/** The service's errors say whose fault they are. */
function isServiceError(error: unknown): boolean {
  return error instanceof Error && "$fault" in error;
}

/** The status of an answer that is none of the service's, such as the page of a proxy: its text can't be parsed. */
function unreadableStatus(error: unknown): string | undefined {
  if (!(error instanceof SyntaxError) || !("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  const isObject = typeof metadata === "object" && metadata !== null;
  if (!isObject || !("httpStatusCode" in metadata)) return undefined;
  return `status ${String(metadata.httpStatusCode)} without an error of SQS`;
}

/** `ECONNREFUSED` and the like. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
