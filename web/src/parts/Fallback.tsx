import { Component, type ReactNode } from 'react';

/** Shown instead of a blank page when drawing itself fails: what failed, what still works, what to do. */
export class Fallback extends Component<
  { readonly children: ReactNode },
  { readonly error: Error | undefined }
> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="fallback" role="alert" data-testid="fallback">
        <h1>The page broke</h1>
        <p>
          The agent goes on counting, and <a href="api/v1/view">its numbers</a> can still be read. Reload the
          page to try again.
        </p>
        <p className="quiet mono">{error.message}</p>
        <p>
          <a href=".">Start again from all hosts</a>
        </p>
      </div>
    );
  }
}
