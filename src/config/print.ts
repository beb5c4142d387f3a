/** A configuration as a file that would give the same. */
import { Document, isScalar, visit } from 'yaml';
import { type Resolved, valuePaths } from './resolve.ts';

/** YAML with every value, defaults included; `withOrigins` adds to each where it came from. */
export function formatConfiguration(
  resolved: Resolved,
  { withOrigins }: { readonly withOrigins: boolean },
): string {
  const document = new Document(resolved.text);
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === 'string' && /[*+\-[\]{}:#]/.test(node.value))
        node.type = 'QUOTE_SINGLE';
    },
  });
  if (withOrigins) {
    for (const path of valuePaths(resolved)) {
      const node = document.getIn(path, true) as { comment?: string | null; commentBefore?: string | null };
      node.comment = ` ${resolved.origin(path)}`;
    }
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
