/** The part of bench/throughput.ts that must live in a network namespace: a thread that attaches and takes off. */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { attachTc, BpfObject, type BpfProgram, setNetworkNamespace } from '../src/bpf/index.ts';
import { METER_OBJECT } from '../src/meter/index.ts';

/** What is attached in both directions. */
export const MODES = ['none', 'floor_empty', 'floor_parse', 'meter'] as const;
export type Mode = (typeof MODES)[number];

function serve(): void {
  const port = parentPort!;
  const { namespace, ifindex } = workerData as { namespace: string; ifindex: number };
  setNetworkNamespace(namespace);
  const opened = new DisposableStack();
  const floor = opened.use(BpfObject.openFile(fileURLToPath(new URL('../bpf/floor.bpf.o', import.meta.url))));
  const meter = opened.use(BpfObject.openFile(METER_OBJECT));
  floor.load();
  meter.load();
  let attached = new DisposableStack();
  const attach = (program: BpfProgram, direction: 'ingress' | 'egress'): void => {
    attached.use(attachTc({ program, ifindex, direction, mode: 'tcx' }));
  };
  port.on('message', (mode: Mode | 'end') => {
    attached.dispose();
    attached = new DisposableStack();
    if (mode === 'end') {
      opened.dispose();
      port.close();
      return;
    }
    if (mode !== 'none') {
      attach(mode === 'meter' ? meter.program('ts_ingress') : floor.program(mode), 'ingress');
      attach(mode === 'meter' ? meter.program('ts_egress') : floor.program(mode), 'egress');
    }
    port.postMessage('done');
  });
}

if (!isMainThread) serve();
