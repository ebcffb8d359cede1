/** Operators on strings. */
import type { ImporterTable } from './import-node.ts';

export const stringImporters: ImporterTable = {
  StringConcat: (n) => [n.add('StringConcat', {}, [n.input(0), n.input(1)])],
  StringSplit: (n) => {
    const [delimiter, maxsplit] = [n.attributes.string('delimiter') ?? '', n.attributes.int('maxsplit')];
    return n.addAll('StringSplit', { delimiter, ...(maxsplit === undefined ? {} : { maxsplit }) }, [n.input(0)]);
  },
  StringNormalizer: (n) => {
    const { attributes } = n;
    const locale = attributes.string('locale');
    const known = {
      case_change_action: attributes.choice('case_change_action', ['NONE', 'LOWER', 'UPPER'], 'NONE'),
      is_case_sensitive: attributes.flag('is_case_sensitive'),
      stopwords: attributes.strings('stopwords') ?? [],
    };
    return [n.add('StringNormalizer', { ...known, ...(locale === undefined ? {} : { locale }) }, [n.input(0)])];
  },
  RegexFullMatch: (n) => {
    const pattern = n.attributes.string('pattern') ?? n.attributes.fail('pattern', 'is missing');
    return [n.add('RegexFullMatch', { pattern }, [n.input(0)])];
  },
};
