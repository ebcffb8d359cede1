/** Operators on strings: opset 17, which is written, has one of them. */
import type { ExporterTable, ExportNode } from './export-node.ts';

export const stringExporters: ExporterTable = {
  StringNormalizer: normalizer,
};

function normalizer(e: ExportNode): void {
  const { stopwords, locale } = e.node.attributes;
  const words = Array.isArray(stopwords) ? stopwords.map(String) : [];
  e.finish('StringNormalizer', [e.input(0)], {
    case_change_action: e.text('case_change_action').toUpperCase(),
    is_case_sensitive: BigInt(e.flag('is_case_sensitive')),
    ...(words.length > 0 ? { stopwords: words } : {}),
    ...(typeof locale === 'string' ? { locale } : {}),
  });
}
