/** Stable codes of {@link NamesError}; each stands in docs/errors.md with cause and remedy. */
export const NAMES_ERROR_CODES = ['NAMES_FILE', 'NAMES_LABELS', 'NAMES_DNS'] as const;
/** One of them. */
export type NamesErrorCode = (typeof NAMES_ERROR_CODES)[number];

/** Names cannot be had: a file of them cannot be used, or nobody answers. */
export class NamesError extends Error {
  override readonly name = 'NamesError';
  readonly code: NamesErrorCode;

  constructor(code: NamesErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
