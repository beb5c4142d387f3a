/** Frames of any content, sent at an interface of a namespace. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Workshop } from '../bench/build.ts';
import type { Packet } from '../src/wire/index.ts';
import { packet } from '../src/wire/index.ts';

/** Sends frames; made once, as a program is compiled for it. */
export class FrameSender implements Disposable {
  readonly #workshop = new Workshop();
  readonly #program: string = this.#workshop.program('test/scatter.c');

  /** Returns when the kernel has taken them all. */
  send(namespace: string, frames: readonly (Packet | Uint8Array)[], device = 'eth0'): void {
    const parts = frames.flatMap((each) => {
      const frame = each instanceof Uint8Array ? each : each.build();
      return [new Uint8Array(new Uint32Array([frame.length, frame.length]).buffer), frame];
    });
    const sent = execFileSync('ip', ['netns', 'exec', namespace, this.#program, device], {
      input: Buffer.concat(parts),
      encoding: 'utf8',
    });
    assert.equal(Number(sent), frames.length);
  }

  [Symbol.dispose](): void {
    this.#workshop[Symbol.dispose]();
  }
}

/** A frame of an experimental ethertype, `octets` long. */
export function frame(source: string, destination: string, octets = 100): Packet {
  return packet()
    .eth({ source, destination, type: 0x88b5 })
    .payload(octets - 14);
}
