import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packet, writePcap, writePcapng } from './index.ts';

const FRAME = packet().eth().ipv4().udp().payload(21).build();
const TIME = 1_700_000_000_123_456_789n;

/** Time, captured and original length, and interface of each packet, as tshark reads them. */
function told(capture: Uint8Array): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-wire-'));
  try {
    const path = join(directory, 'capture');
    writeFileSync(path, capture);
    const fields = ['frame.time_epoch', 'frame.cap_len', 'frame.len', 'frame.interface_name'];
    const words = ['-r', path, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
    const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('tshark reads times and lengths of a pcap file as they were written', () => {
  const packets = [
    { octets: FRAME, timeNs: TIME },
    { octets: FRAME.subarray(0, 20), originalLength: 63, timeNs: TIME + 1n },
  ];
  for (const bigEndian of [false, true]) {
    assert.deepEqual(told(writePcap(packets, { bigEndian, nanoseconds: true })), [
      '1700000000.123456789\t63\t63\t',
      '1700000000.123456790\t20\t63\t',
    ]);
    assert.deepEqual(told(writePcap(packets, { bigEndian })), [
      '1700000000.123456000\t63\t63\t',
      '1700000000.123456000\t20\t63\t',
    ]);
  }
});

test('tshark reads sections, interfaces and all packet blocks of a pcapng file as they were written', () => {
  const interfaces = [
    { name: 'uplink', snapLength: 40 },
    { name: 'tunnel0', tsresol: 6, offsetSeconds: 1_000_000_000n, dropped: 3n },
    { name: 'coarse', tsresol: 0x80 | 10 },
  ];
  const packets = [
    { octets: FRAME, timeNs: TIME },
    { octets: FRAME, timeNs: TIME, interface: 1 },
    { octets: FRAME.subarray(0, 20), originalLength: 63, timeNs: TIME, interface: 2 },
    { octets: FRAME, timeNs: TIME, interface: 0, block: 'obsolete' },
    { octets: FRAME.subarray(0, 40), originalLength: 63, block: 'simple' },
  ] as const;
  const lines = [
    '1700000000.123456789\t63\t63\tuplink',
    '1700000000.123456000\t63\t63\ttunnel0',
    '1700000000.123046875\t20\t63\tcoarse',
    '1700000000.123456789\t63\t63\tuplink',
    '\t40\t63\tuplink',
  ];
  for (const bigEndian of [false, true]) {
    const section = { bigEndian, interfaces, packets };
    assert.deepEqual(told(writePcapng([section])), lines);
    const twice = told(writePcapng([section, { ...section, bigEndian: !bigEndian }]));
    assert.deepEqual(
      twice.map((line) => line.replace(/\t[^\t]*$/, '')),
      [...lines, ...lines].map((line) => line.replace(/\t[^\t]*$/, '')),
    );
  }
});
