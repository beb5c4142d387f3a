/** The part of bench/gateway.ts that must live in a network namespace: a thread that puts programs between trunk and worker. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { attachTc, BpfObject, setNetworkNamespace } from '../src/bpf/index.ts';
import { Gateway, Tellings } from '../src/vnet/index.ts';

/** What stands between them: programs that only redirect, or the gateway. */
export const MODES = ['redirect', 'gateway'] as const;
export type Mode = (typeof MODES)[number];

/** What the thread is given. */
export interface ThreadWords {
  readonly namespace: string;
  /** Built from bench/gateway.bpf.c. */
  readonly object: string;
  /** The gateway's file. */
  readonly config: string;
  readonly name: string;
  readonly trunk: number;
  readonly worker: number;
}

function serve(): void {
  const port = parentPort!;
  const { namespace, object, config, name, trunk, worker } = workerData as ThreadWords;
  setNetworkNamespace(namespace);
  let standing = new DisposableStack();
  const redirect = (from: number, to: number): void => {
    const opened = standing.use(BpfObject.openFile(object));
    opened.setConstant('target', to);
    opened.load();
    const program = opened.program('redirect_only');
    standing.use(attachTc({ program, ifindex: from, direction: 'ingress', mode: 'tcx' }));
  };
  port.on('message', (mode: Mode | 'end') => {
    standing.dispose();
    standing = new DisposableStack();
    if (mode === 'end') {
      port.close();
      return;
    }
    if (mode === 'redirect') {
      redirect(trunk, worker);
      redirect(worker, trunk);
    } else {
      const gateway = Gateway.open({ name, config, tellings: new Tellings() });
      standing.defer(() => gateway.remove());
    }
    port.postMessage('done');
  });
}

if (!isMainThread) serve();
