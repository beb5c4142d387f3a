import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe finds serious or critical, each with the element and why; of what is dim because it is asked for again, when it is there. */
export async function violations(page: Page): Promise<string[]> {
  await page.waitForFunction(() => !document.querySelector('[data-testid=asking]'), undefined, {
    timeout: 60_000,
  });
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(),
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
}
