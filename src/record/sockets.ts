/** From rows of sockets, as the kernel's programs write them (bpf/sockets.bpf.c), to columns. */
import {
  createSocketColumns,
  SOCKET_FIELDS,
  type SocketColumns,
  type SocketFieldName,
} from '../flow/index.ts';
import { SocketRow } from './gen/sockets.ts';

/**
 * Decodes `count` rows that follow each other.
 *
 * @param rows begins at a multiple of 8 in its buffer
 */
export function decodeSockets(rows: Uint8Array<ArrayBuffer>, count: number): SocketColumns {
  const columns = createSocketColumns(count);
  for (const name of Object.keys(SOCKET_FIELDS) as SocketFieldName[]) {
    const column = columns[name];
    const offset = rows.byteOffset + SocketRow.offsets[name];
    if (column instanceof BigUint64Array) pick(column, new BigUint64Array(rows.buffer), offset >> 3);
    else if (column instanceof Uint32Array) pick(column, new Uint32Array(rows.buffer), offset >> 2);
    else if (column instanceof Uint16Array) pick(column, new Uint16Array(rows.buffer), offset >> 1);
    else pickOctets(column, new Uint8Array(rows.buffer, offset), SOCKET_FIELDS[name].bits / 8);
  }
  return columns;
}

type Words = BigUint64Array | Uint32Array | Uint16Array;

/** Copies a member of each row; `first` is where the first one stands, in elements. */
function pick<Column extends Words>(column: Column, from: Column, first: number): void {
  const stride = SocketRow.size / column.BYTES_PER_ELEMENT;
  for (let row = 0, at = first; row < column.length; row++, at += stride) column[row] = from[at]!;
}

function pickOctets(column: Uint8Array, from: Uint8Array, width: number): void {
  for (let to = 0, at = 0; to < column.length; to += width, at += SocketRow.size)
    for (let octet = 0; octet < width; octet++) column[to + octet] = from[at + octet]!;
}
