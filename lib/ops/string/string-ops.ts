// StringConcat, StringSplit, StringNormalizer and RegexFullMatch of ONNX, on the host.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import { stringTensor, toStrings } from '../../tensor/strings.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { autoBroadcast, bool, enumeration, int } from '../attribute.ts';
import { broadcastBy, expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import { ownSet } from '../registry.ts';
import { fullMatcher } from './regular-expression.ts';

const text = z.string();

function stringFact(inputs: Facts, index: number): Fact {
  const fact = inputFact(inputs, index);
  if (fact.type === 'string') return fact;
  throw new LowpError('ERR_TYPE_MISMATCH', `input ${index} has type ${fact.type}, expected strings`);
}

const concatAttributes = z.object({ auto_broadcast: autoBroadcast });

function inferConcat(a: z.infer<typeof concatAttributes>, inputs: Facts): [Fact] {
  const [x, y] = [stringFact(inputs, 0), stringFact(inputs, 1)];
  return [{ type: 'string', shape: broadcastBy(a, x.shape, y.shape) }];
}

/** `z = x + y`, one text behind the other, with broadcasting. */
const stringConcat = defineOp({
  type: 'StringConcat',
  opset: ownSet,
  attributes: concatAttributes,
  inputs: [2, 2],
  strings: true,
  infer: inferConcat,
  evaluate: (a, inputs) => {
    const { shape } = inferConcat(a, factsOf(inputs))[0];
    const [x, y] = inputs.map((t) => {
      const values = toStrings(t);
      return Array.from(stridedOffsets(shape, expandedStrides(t.shape, shape)), (at) => values[at]!);
    });
    return [
      stringTensor(
        shape,
        x!.map((left, i) => left + y![i]!),
      ),
    ];
  },
});

const splitAttributes = z.object({
  /** What stands between two parts; empty: white space of any length, at the ends too. */
  delimiter: text.default(''),
  /** Cuts at most; the last part is what is left. */
  maxsplit: int.optional(),
});

function parts(value: string, delimiter: string, most: number): string[] {
  if (delimiter !== '') {
    const all = value.split(delimiter);
    return all.length <= most + 1 ? all : [...all.slice(0, most), all.slice(most).join(delimiter)];
  }
  const found: string[] = [];
  let rest = value.trimStart();
  while (rest !== '') {
    const end = found.length < most ? rest.search(/\s/) : -1;
    found.push(end < 0 ? rest : rest.slice(0, end));
    rest = end < 0 ? '' : rest.slice(end).trimStart();
  }
  return found;
}

function split(x: Tensor, a: z.infer<typeof splitAttributes>): Tensor[] {
  const all = toStrings(x).map((value) => parts(value, a.delimiter, a.maxsplit ?? Number.POSITIVE_INFINITY));
  const width = all.reduce((most, p) => Math.max(most, p.length), 0);
  const padded = all.flatMap((p) => [...p, ...new Array<string>(width - p.length).fill('')]);
  return [
    stringTensor([...x.shape, width], padded),
    tensor(
      'i64',
      x.shape,
      all.map((p) => p.length),
    ),
  ];
}

/** The parts of each text along a new last axis, filled up with empty ones, and their numbers. */
const stringSplit = defineOp({
  type: 'StringSplit',
  opset: ownSet,
  attributes: splitAttributes,
  inputs: [1, 1],
  strings: true,
  infer: (_, inputs) => {
    const { shape } = stringFact(inputs, 0);
    return [
      { type: 'string', shape: [...shape, -1] },
      { type: 'i64', shape },
    ];
  },
  evaluate: (a, [x]) => split(x!, a),
});

/** Words of any characters; in an IR as JSON. */
const words = z.preprocess((v) => {
  if (typeof v !== 'string') return v;
  try {
    return JSON.parse(v) as unknown;
  } catch {
    return v;
  }
}, z.array(text));

const normalizerAttributes = z.object({
  case_change_action: enumeration(['none', 'lower', 'upper']).default('none'),
  is_case_sensitive: bool.default(false),
  /** Words that are left out. */
  stopwords: words.default([]),
  /** Language of the change of case, `en_US`. */
  locale: text.optional(),
});

function inferNormalizer(inputs: Facts): [Fact] {
  const { shape } = stringFact(inputs, 0);
  requireRank(shape, 1, 2);
  if (shape.length === 2 && shape[0]! > 1) throw new LowpError('ERR_SHAPE_MISMATCH', `${shape[0]} rows, expected one`);
  return [{ type: 'string', shape: shape.length === 2 ? [1, -1] : [-1] }];
}

function normalized(x: Tensor, a: z.infer<typeof normalizerAttributes>): Tensor {
  const language = languageOf(a.locale);
  const key = (word: string): string => (a.is_case_sensitive ? word : word.toLocaleLowerCase(language));
  const left = new Set(a.stopwords.map(key));
  const kept = toStrings(x).filter((word) => !left.has(key(word)));
  const changed = (kept.length === 0 ? [''] : kept).map((word) => {
    if (a.case_change_action === 'none') return word;
    return a.case_change_action === 'lower' ? word.toLocaleLowerCase(language) : word.toLocaleUpperCase(language);
  });
  return stringTensor(x.shape.length === 2 ? [1, changed.length] : [changed.length], changed);
}

function languageOf(locale: string | undefined): string {
  const [tag = ''] = (locale ?? 'en_US').split('.');
  try {
    return Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0] ?? 'en-US';
  } catch {
    throw new LowpError('ERR_OP_ATTRIBUTE', `the locale ${JSON.stringify(locale)} is not known`);
  }
}

/** A list of words without some of them, in lower or upper case. An empty list becomes one empty text. */
const stringNormalizer = defineOp({
  type: 'StringNormalizer',
  opset: ownSet,
  attributes: normalizerAttributes,
  inputs: [1, 1],
  strings: true,
  infer: (_, inputs) => inferNormalizer(inputs),
  evaluate: (a, [x]) => [normalized(x!, a)],
  ir: {
    write: ({ stopwords, is_case_sensitive, ...others }) => ({
      ...(others.locale === undefined ? {} : { locale: others.locale }),
      case_change_action: others.case_change_action,
      is_case_sensitive: String(is_case_sensitive),
      stopwords: JSON.stringify(stopwords),
    }),
  },
});

/** Whether each text is matched from end to end by a pattern of the syntax of RE2. */
const regexFullMatch = defineOp({
  type: 'RegexFullMatch',
  opset: ownSet,
  attributes: z.object({ pattern: text }),
  inputs: [1, 1],
  strings: true,
  infer: (a, inputs) => {
    fullMatcher(a.pattern);
    return [{ type: 'boolean', shape: stringFact(inputs, 0).shape }];
  },
  evaluate: (a, [x]) => {
    const matches = fullMatcher(a.pattern);
    const data = new Uint8Array(elementCount(x!.shape));
    for (const [i, value] of toStrings(x!).entries()) data[i] = Number(matches(value));
    return [tensor('boolean', x!.shape, data)];
  },
});

export const stringOps: readonly OpDef[] = [stringConcat, stringSplit, stringNormalizer, regexFullMatch];
