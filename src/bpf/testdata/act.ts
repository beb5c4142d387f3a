/**
 * What a test does in another process. `attach DEVICE-NUMBER MODE` attaches and waits to be killed; `load` loads and prints
 * the error as JSON.
 */
import { attachTc, BpfError } from '../index.ts';
import { loadProbe } from './probe.ts';

const [act, ifindex, mode] = process.argv.slice(2);
if (act === 'attach') {
  const object = loadProbe();
  const attachment = attachTc({
    program: object.program('observe'),
    ifindex: Number(ifindex),
    direction: 'ingress',
    mode: mode === 'clsact' ? 'clsact' : 'tcx',
    handle: 7,
    priority: 700,
  });
  console.log(`ready ${attachment.kind}`);
  setInterval(() => attachment.isAttached(), 60_000);
} else {
  try {
    loadProbe()[Symbol.dispose]();
    console.log('{}');
  } catch (failure) {
    if (!(failure instanceof BpfError)) throw failure;
    console.log(
      JSON.stringify({ code: failure.code, errnoName: failure.errnoName, message: failure.message }),
    );
  }
}
