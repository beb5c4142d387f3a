import { type KeyboardEvent, type MouseEvent, type ReactNode, useRef, useState } from 'react';

interface MenuProps {
  readonly words: string;
  readonly testId: string;
  readonly children: ReactNode;
}

/** A button that opens a panel below it; Escape closes it, and so does following a link in it. */
export function Menu({ words, testId, children }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const summary = useRef<HTMLElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    setOpen(false);
    summary.current?.focus();
  };
  const onClick = ({ target }: MouseEvent): void => {
    if ((target as Element).closest('a, [role="link"]')) setOpen(false);
  };
  return (
    <details
      className="menu"
      data-testid={testId}
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onBlur={(event) => {
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <summary ref={summary}>
        {words} <span aria-hidden="true">▾</span>
      </summary>
      {isOpen && <div className="menu-panel">{children}</div>}
    </details>
  );
}
