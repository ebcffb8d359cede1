// Damage to the XML of an IR, by its structure: attributes, elements, edges and numbers, not single letters.
import type { Random } from '../../../lib/util/random.ts';

/** Values that readers get wrong: ends of ranges, signs, forms of numbers, emptiness. */
const strange = [
  ...['', ' ', '0', '1', '-1', '2', '7', '64', '255', '65536', '2147483648', '4294967296', '9007199254740993'],
  ...[
    '1e9',
    '1e308',
    '-1e308',
    '0.5',
    '-0.0',
    'nan',
    'inf',
    '-inf',
    '0x10',
    '1,',
    ',',
    '1,2,3,4,5,6,7,8',
    '-1,-1,-1,-1',
  ],
  ...['1099511627776', '1,1000000,1000000', '...', '?', '1..5', 'true', 'false', 'True', 'valid', 'same_upper', 'null'],
  ...[
    'undefined',
    '__proto__',
    'constructor',
    'toString',
    '&amp;',
    '&#0;',
    '&lt;a&gt;',
    'f32',
    'i64',
    'u4',
    'u3',
    'nf4',
    'string',
    'boolean',
  ],
  ...['opset1', 'opset3', 'opset6', 'opset8', 'opset13', 'opset99', 'extension'],
];

const attribute = /([\w.:-]+)="([^"]*)"/g;
const element = /<(layer|edge|port|dim|data|input|output|rt_info|attribute)\b[^>]*?(\/>|>[\s\S]*?<\/\1>)/g;

interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly parts: readonly string[];
}

function spans(text: string, pattern: RegExp): Span[] {
  return [...text.matchAll(pattern)].map((m) => ({
    start: m.index,
    end: m.index + m[0].length,
    text: m[0],
    parts: m.slice(1),
  }));
}

function pick<T>(list: readonly T[], r: Random): T {
  return list[r.int(0, list.length)]!;
}

function replaced(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

type Mutation = (xml: string, r: Random) => string;

/** Another value for an attribute: a strange one, another one of the same file, or one digit changed. */
const changeValue: Mutation = (xml, r) => {
  const all = spans(xml, attribute);
  const at = pick(all, r);
  const [name, value] = at.parts as [string, string];
  const kind = r.int(0, 4);
  if (kind === 0) return replaced(xml, at, `${name}="${pick(strange, r)}"`);
  if (kind === 1) return replaced(xml, at, `${name}="${pick(all, r).parts[1]}"`);
  if (kind === 2) {
    const same = all.filter((a) => a.parts[0] === name);
    return replaced(xml, at, `${name}="${pick(same, r).parts[1]}"`);
  }
  const digits = [...value.matchAll(/-?\d+/g)];
  if (digits.length === 0) return replaced(xml, at, `${name}="${value}${value}"`);
  const digit = pick(digits, r);
  const other = pick([String(Number(digit[0]) + r.int(-3, 4)), '0', '-1', '1000000007', `${digit[0]}0`], r);
  const text = value.slice(0, digit.index) + other + value.slice(digit.index + digit[0].length);
  return replaced(xml, at, `${name}="${text}"`);
};

const dropAttribute: Mutation = (xml, r) => replaced(xml, pick(spans(xml, attribute), r), '');

const renameAttribute: Mutation = (xml, r) => {
  const all = spans(xml, attribute);
  const at = pick(all, r);
  return replaced(xml, at, `${pick([pick(all, r).parts[0]!, '__proto__', 'constructor'], r)}="${at.parts[1]}"`);
};

const dropElement: Mutation = (xml, r) => {
  const all = spans(xml, element);
  return all.length === 0 ? xml : replaced(xml, pick(all, r), '');
};

const repeatElement: Mutation = (xml, r) => {
  const all = spans(xml, element);
  if (all.length === 0) return xml;
  const at = pick(all, r);
  return replaced(xml, at, at.text.repeat(r.int(2, 4)));
};

const moveElement: Mutation = (xml, r) => {
  const all = spans(xml, element);
  if (all.length === 0) return xml;
  return replaced(xml, pick(all, r), pick(all, r).text);
};

const changeText: Mutation = (xml, r) => {
  const all = spans(xml, />([^<>]+)</g);
  return all.length === 0 ? xml : replaced(xml, pick(all, r), `>${pick(strange, r)}<`);
};

const nest: Mutation = (xml, r) => {
  const all = spans(xml, element);
  if (all.length === 0) return xml;
  const at = pick(all, r);
  const name = pick(['layer', 'body', 'net', 'rt_info', 'a'], r);
  const depth = pick([1, 2, 300], r);
  return replaced(xml, at, `<${name}>`.repeat(depth) + at.text + `</${name}>`.repeat(depth));
};

const mutations: readonly Mutation[] = [
  ...[changeValue, changeValue, changeValue, changeValue, dropAttribute, renameAttribute],
  ...[dropElement, repeatElement, moveElement, changeText, nest],
];

/** One to three changes. */
export function mutateXml(xml: string, r: Random): string {
  let text = xml;
  for (let i = r.int(1, 4); i > 0; i--) text = pick(mutations, r)(text, r);
  return text;
}
