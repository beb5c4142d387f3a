/**
 * Loaded first by every Node in the guest: WebAssembly is compiled once, and not again while it runs. Under emulation
 * the second compilation broke now and then (Runtime_WasmTriggerTierUp: "Check failed: it->second.Size() > offset"),
 * and what strips types from our sources is WebAssembly.
 */
require('node:v8').setFlagsFromString('--no-wasm-tier-up');
