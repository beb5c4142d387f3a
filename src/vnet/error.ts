/** Failures of network functions that are not the kernel's BPF errors. */

/** Stable codes of {@link VnetError}; each stands in docs/errors.md with cause and remedy. */
export type VnetErrorCode =
  | 'VNET_INTERFACE'
  | 'VNET_KERNEL'
  | 'VNET_MTU'
  | 'VNET_CHANGE'
  | 'VNET_COMMAND'
  | 'VNET_PINS'
  | 'VNET_PEERS';

/** A failure with its remedy in the message. */
export class VnetError extends Error {
  readonly code: VnetErrorCode;

  constructor(code: VnetErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'VnetError';
    this.code = code;
  }
}
