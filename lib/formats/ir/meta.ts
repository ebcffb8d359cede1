// Model-level elements of an IR, and where they stand in version 11.
import type { MetaElement } from '../../graph/model.ts';

/** Elements that version 11 has inside `<rt_info>`; other readers leave them without it. */
const insideRtInfo = new Set([
  'MO_version',
  'Runtime_version',
  'conversion_parameters',
  'legacy_frontend',
  'framework',
  'model_info',
  'nncf',
  'optimization',
  'info',
]);

/**
 * The elements beside `<layers>` and `<edges>` for a file of version `to`.
 *
 * From 10 to 11, `<meta_data>` becomes `<rt_info>`, its `<cli_parameters>` become `<conversion_parameters>`, and
 * `<quantization_parameters>` become `<optimization>` inside it. Elements of `<rt_info>` without it are put into one.
 */
export function metaFor(meta: readonly MetaElement[], from: 10 | 11, to: 10 | 11): readonly MetaElement[] {
  if (to === 10) return meta;
  const upgrade = from === 10 && !meta.some((e) => e.name === 'rt_info');
  const gathered: MetaElement[] = [];
  const others: MetaElement[] = [];
  for (const element of meta) {
    if (insideRtInfo.has(element.name)) gathered.push(element);
    else if (upgrade && element.name === 'meta_data') gathered.push(...element.children.map(conversion));
    else if (upgrade && element.name === 'quantization_parameters') gathered.push({ ...element, name: 'optimization' });
    else others.push(element);
  }
  if (gathered.length === 0) return others;
  const present = others.findIndex((e) => e.name === 'rt_info');
  if (present < 0) return [...others, { name: 'rt_info', attributes: {}, children: gathered }];
  const rtInfo = others[present]!;
  others[present] = { ...rtInfo, children: [...rtInfo.children, ...gathered] };
  return others;
}

function conversion(element: MetaElement): MetaElement {
  return element.name === 'cli_parameters' ? { ...element, name: 'conversion_parameters' } : element;
}
