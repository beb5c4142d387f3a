import './strict-csp.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LiveFeed } from './live.ts';
import { App } from './parts/App.tsx';
import { Fallback } from './parts/Fallback.tsx';
import { applyTheme, storedTheme } from './theme.ts';

applyTheme(storedTheme());
const feed = new LiveFeed({ fetch: window.fetch.bind(window), nowMs: Date.now });
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Fallback>
      <App feed={feed} />
    </Fallback>
  </StrictMode>,
);
