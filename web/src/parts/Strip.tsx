import { memo, useRef } from 'react';
import { bitRateQuantity, formatQuantity } from '../../../src/flow/index.ts';
import type { StreamedView } from '../../../src/query/index.ts';
import { useSize } from '../hooks.ts';
import { stripPaths } from '../layout/paths.ts';
import { stripPoints } from '../layout/strip.ts';

const HEIGHT = 44;

/** The last minutes of the whole host, the present window marked. */
export const Strip = memo(function Strip({ view }: { readonly view: StreamedView }) {
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const strip = stripPoints(view, { width, height: HEIGHT });
  const [shape, edge] = stripPaths(strip.points, HEIGHT);
  const peak = formatQuantity(bitRateQuantity(strip.peak));
  return (
    <figure className="strip" data-testid="strip">
      <div ref={frame} className="strip-frame">
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`Traffic of the whole host over ${strip.spanWords}, from ${strip.edgeWords.join(' to ')}, at most ${peak}.`}
        >
          <path className="strip-area" d={shape} />
          <path className="strip-edge" d={edge} />
          <rect
            className="strip-window"
            data-testid="strip-window"
            x={strip.windowX}
            y={0}
            width={Math.max(0, width - strip.windowX)}
            height={HEIGHT}
          />
          <line className="strip-floor" x1={0} x2={width} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
          <line className="strip-mark" x1={strip.windowX + 0.5} x2={strip.windowX + 0.5} y1={0} y2={HEIGHT} />
        </svg>
      </div>
      <figcaption>
        <span>{strip.edgeWords[0]}</span>
        <span>whole host, peak {peak}</span>
        <span>{strip.edgeWords[1]}</span>
      </figcaption>
    </figure>
  );
});
