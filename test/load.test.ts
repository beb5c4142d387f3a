/** The kernel's verifier and the meter's programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelAtLeast } from '../src/bpf/index.ts';
import { LoadedMeter } from '../src/meter/index.ts';

/**
 * The verifier walks through a million instructions at most (BPF_COMPLEXITY_LIMIT_INSNS): we keep half in reserve, and a
 * third where all is measured at once. Linux 6.1 needs 383,000 and 539,000, later ones less.
 */
const CASES = [
  { measurements: [], most: 500_000 },
  { measurements: ['arrivals', 'sequence', 'tcp'], most: 670_000 },
] as const;

for (const { measurements, most } of CASES) {
  const what = measurements.join(', ') || 'nothing';
  test(`the verifier accepts the programs that measure ${what}, and far from its limit`, (t) => {
    using meter = LoadedMeter.load({ measure: { measurements } });
    for (const program of [meter.ingress, meter.egress, meter.bareIngress, meter.bareEgress]) {
      const { verifiedInstructions } = program.describe();
      t.diagnostic(`${program.name}: ${verifiedInstructions || 'unsaid'} instructions verified`);
      assert.ok(verifiedInstructions < most, `${verifiedInstructions} instructions`);
      if (kernelAtLeast('5.16')) assert.ok(verifiedInstructions > 0, 'the kernel says how many');
    }
  });
}
