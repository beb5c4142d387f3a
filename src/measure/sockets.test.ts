import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../flow/batch.fixture.ts';
import {
  createColumns,
  createConnectionColumns,
  createSocketColumns,
  type FlowColumns,
  type MeasurementBatch,
  NO_SSTHRESH,
  parseAddress,
  type SocketBatch,
} from '../flow/index.ts';
import { Measured } from './measured.ts';
import { SocketIndex } from './sockets.ts';

const TCP = 6;
const UDP = 17;

/** Addresses and ports of both ends: `10.0.0.1 80`. */
type Ends = readonly [string, string];

function place(addresses: Uint8Array, ports: Uint16Array, row: number, end: string): void {
  const [address, port] = end.split(' ');
  addresses.set(parseAddress(address!)!, 16 * row);
  ports[row] = Number(port);
}

/** Sockets by own end and other end; each has its number plus one as its congestion window. */
function socketsOf(...sockets: readonly Ends[]): SocketBatch {
  const columns = createSocketColumns(sockets.length);
  for (const [row, [local, remote]] of sockets.entries()) {
    place(columns.localAddress, columns.localPort, row, local);
    place(columns.remoteAddress, columns.remotePort, row, remote);
    columns.cwnd[row] = row + 1;
  }
  return { length: sockets.length, columns, untold: 0 };
}

function flowsOf(...flows: readonly { ends: Ends; egress?: boolean; protocol?: number }[]): FlowColumns {
  const columns = createColumns(flows.length);
  for (const [row, { ends, egress, protocol }] of flows.entries()) {
    place(columns.source, columns.sourcePort, row, ends[0]);
    place(columns.destination, columns.destinationPort, row, ends[1]);
    columns.direction[row] = egress ? 1 : 0;
    columns.protocol[row] = protocol ?? TCP;
  }
  return columns;
}

/** One measured flow, and nothing else. */
function measurementsOf(flows: FlowColumns): MeasurementBatch {
  const connections = { length: 0, flows: createColumns(0), columns: createConnectionColumns(0) };
  return { length: 1, flows, connections, unmeasuredPackets: 0 };
}

test('a flow has the socket of the end that is here, whichever way it goes', () => {
  const sockets = socketsOf(['10.0.0.1 80', '10.0.0.2 4000'], ['fd00::1 80', 'fd00::2 4000']);
  const flows = flowsOf(
    { ends: ['10.0.0.2 4000', '10.0.0.1 80'] },
    { ends: ['10.0.0.1 80', '10.0.0.2 4000'], egress: true },
    { ends: ['10.0.0.1 80', '10.0.0.2 4000'] },
    { ends: ['fd00::2 4000', 'fd00::1 80'] },
    { ends: ['10.0.0.2 4000', '10.0.0.1 81'] },
    { ends: ['10.0.0.1 4000', '10.0.0.2 80'] },
    { ends: ['10.0.0.2 4000', '10.0.0.1 80'], protocol: UDP },
  );
  const index = new SocketIndex(sockets, flows);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((row) => index.find(row)?.cwnd),
    [1, 1, 1, 2, undefined, undefined, undefined],
  );
});

test('where both ends are here, what leaves is the sender’s and what comes in the receiver’s', () => {
  const sockets = socketsOf(['127.0.0.1 80', '127.0.0.1 4000'], ['127.0.0.1 4000', '127.0.0.1 80']);
  const ends: Ends = ['127.0.0.1 4000', '127.0.0.1 80'];
  const index = new SocketIndex(sockets, flowsOf({ ends, egress: true }, { ends }));
  assert.equal(index.find(0)?.cwnd, 2);
  assert.equal(index.find(1)?.cwnd, 1);
});

test('of sockets with the same ends the one that was told last counts', () => {
  const ends: Ends = ['10.0.0.1 80', '10.0.0.2 4000'];
  const index = new SocketIndex(socketsOf(ends, ends), flowsOf({ ends, egress: true }));
  assert.equal(index.find(0)?.cwnd, 2);
});

test('what has no sample yet is not known', () => {
  const ends: Ends = ['10.0.0.1 80', '10.0.0.2 4000'];
  const sockets = socketsOf(ends, ends);
  sockets.columns.ssthresh.fill(NO_SSTHRESH);
  const find = () => new SocketIndex(sockets, flowsOf({ ends, egress: true })).find(0)!;
  const { srttMs, rttvarMs, minRttMs, receiverRttMs, ssthresh } = find();
  for (const value of [srttMs, rttvarMs, minRttMs, receiverRttMs, ssthresh]) assert.equal(value, undefined);
  sockets.columns.srttUs.fill(1500);
  sockets.columns.ssthresh.fill(7);
  assert.deepEqual([find().srttMs, find().rttvarMs, find().ssthresh], [1.5, 0, 7]);
});

test('the last packets of a flow still have its closed socket, and a new connection has its own', () => {
  const ends: Ends = ['10.0.0.1 80', '10.0.0.2 4000'];
  const measured = new Measured({ by: 'flow' });
  const closed = socketsOf(ends);
  closed.columns.isClosed[0] = 1;
  const epochs = [socketsOf(ends), closed, socketsOf(), socketsOf(['10.0.0.3 1', '10.0.0.4 2'], ends)];
  const shown = epochs.map((sockets, i) => {
    const measurements = measurementsOf(flowsOf({ ends, egress: true }));
    measured.write({ ...batchOf([], { epoch: i + 1 }), measurements, sockets });
    const [group] = measured.active;
    return [group?.socket?.cwnd, group?.socket?.isClosed];
  });
  assert.deepEqual(shown, [
    [1, false],
    [1, true],
    [1, true],
    [2, false],
  ]);
});

test('an open socket that is told no more is not shown as it was', () => {
  const ends: Ends = ['10.0.0.1 80', '10.0.0.2 4000'];
  const measured = new Measured({ by: 'flow' });
  for (const [i, sockets] of [socketsOf(ends), { ...socketsOf(), untold: 3 }].entries()) {
    const measurements = measurementsOf(flowsOf({ ends, egress: true }));
    measured.write({ ...batchOf([], { epoch: i + 1 }), measurements, sockets });
  }
  assert.equal(measured.active[0]!.socket, undefined);
  assert.equal(measured.untoldSockets, 3);
});
