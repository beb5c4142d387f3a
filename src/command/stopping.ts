/** Ctrl-C and SIGTERM: the first asks for an orderly end, a second ends at once. */

/** Exit code of a program ended by a second Ctrl-C, as shells count it (128 + SIGINT). */
const INTERRUPTED = 130;

/** A signal that aborts on the first SIGINT or SIGTERM. Dispose it when the orderly end is done. */
export function stopSignal(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
