export type LinuxErrorCode =
  /** This is not Linux. */
  | "not-linux"
  /** Network namespaces take root. */
  | "not-root"
  /** A program is not installed. */
  | "no-tool"
  /** The kernel lacks network namespaces, or they are forbidden here. */
  | "no-namespace"
  /** Asked to work in the namespace of the host. */
  | "host-namespace"
  /** A program ended with a status other than 0. */
  | "tool-failed"
  /** A program did not end. */
  | "tool-stuck"
  /** The process inside the namespace has ended. */
  | "resident-gone"
  /** A rule that nft has no words for. */
  | "no-translation";

/** What stands between a caller and the real kernel. */
export class LinuxError extends Error {
  override readonly name = "LinuxError";

  constructor(
    readonly code: LinuxErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
