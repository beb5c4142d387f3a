/** The kernel's verifier and the meter's programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelAtLeast } from '../src/bpf/index.ts';
import { LoadedMeter } from '../src/meter/index.ts';

/** The verifier walks through a million instructions at most (BPF_COMPLEXITY_LIMIT_INSNS); we keep a third in reserve. */
const MOST_INSTRUCTIONS = 670_000;

for (const measurements of [[], ['arrivals', 'sequence', 'tcp']] as const) {
  const what = measurements.join(', ') || 'nothing';
  test(`the verifier accepts the programs that measure ${what}, and far from its limit`, (t) => {
    using meter = LoadedMeter.load({ measure: { measurements } });
    for (const program of [meter.ingress, meter.egress, meter.bareIngress, meter.bareEgress]) {
      const { verifiedInstructions } = program.describe();
      t.diagnostic(`${program.name}: ${verifiedInstructions || 'unsaid'} instructions verified`);
      assert.ok(verifiedInstructions < MOST_INSTRUCTIONS, `${verifiedInstructions} instructions`);
      if (kernelAtLeast('5.16')) assert.ok(verifiedInstructions > 0, 'the kernel says how many');
    }
  });
}
