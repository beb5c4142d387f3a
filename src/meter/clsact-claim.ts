/**
 * One clsact meter per network namespace. Its filters have a fixed place, so that a start after a crash replaces what
 * was left; two meters alive at once would take that place from each other. tcx has no such limit.
 */
import { createServer } from 'node:net';
import { MeterError } from './error.ts';

/** An abstract socket (leading NUL): belongs to the network namespace and ends with the process, also after SIGKILL. */
const CLAIM = '\0tunnelscope-clsact';

/** Claims the place until disposed. @throws MeterError `METER_BUSY` when another process holds it. */
export async function claimClsact(): Promise<Disposable> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new MeterError(
          'METER_BUSY',
          'another tunnelscope meters this network namespace through clsact filters',
          {
            cause,
            remedy: 'stop it first, or use tcx (Linux 6.6 or later)',
          },
        ),
      );
    });
    server.listen(CLAIM, resolve);
  });
  server.unref();
  return { [Symbol.dispose]: () => void server.close() };
}
