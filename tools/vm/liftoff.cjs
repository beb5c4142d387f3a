/**
 * Loaded first by every Node in the guest: WebAssembly is compiled once, and not again while it runs. Under emulation
 * asking for the second compilation broke now and then (Runtime_WasmTriggerTierUp: "Check failed: it->second.Size() >
 * offset"), and what strips types from our sources is WebAssembly. Each of the flags alone still asks for it at times.
 */
const v8 = require('node:v8');

for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering', '--wasm-tiering-budget=2000000000'])
  v8.setFlagsFromString(flag);
