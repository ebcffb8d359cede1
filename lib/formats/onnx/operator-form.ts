/** The operator form of quantized ONNX models: operators that read and write integers in place of floats between pairs. */
import { create } from '@bufbuild/protobuf';
import { namesReadBy } from './names.ts';
import { type AttributeProto, type NodeProto, NodeProtoSchema, type TensorProto } from './onnx_pb.ts';

/** Float operators and their integer counterparts. */
interface IntegerOperator {
  readonly opType: string;
  /** Of ONNX Runtime where ONNX itself has none. */
  readonly domain?: 'com.microsoft';
  /** `resultFirst`: scale and zero point of the result come before the operands. */
  readonly order?: 'resultFirst';
  /** An operand that stays what it is in integers, behind everything else: a bias. */
  readonly bias?: number;
  /** Attributes that the float operator does not have. */
  readonly added?: Readonly<Record<string, bigint>>;
  /** How many operands it may have; any number when absent. */
  readonly operands?: number;
}

const microsoft = { domain: 'com.microsoft' } as const;

const operators: Readonly<Record<string, IntegerOperator>> = {
  Conv: { opType: 'QLinearConv', bias: 2, operands: 2 },
  MatMul: { opType: 'QLinearMatMul', operands: 2 },
  Add: { ...microsoft, opType: 'QLinearAdd', operands: 2 },
  Mul: { ...microsoft, opType: 'QLinearMul', operands: 2 },
  Concat: { ...microsoft, opType: 'QLinearConcat', order: 'resultFirst' },
  AveragePool: { ...microsoft, opType: 'QLinearAveragePool', operands: 1, added: { channels_last: 0n } },
  GlobalAveragePool: { ...microsoft, opType: 'QLinearGlobalAveragePool', operands: 1, added: { channels_last: 0n } },
  Sigmoid: { ...microsoft, opType: 'QLinearSigmoid', operands: 1 },
  LeakyRelu: { ...microsoft, opType: 'QLinearLeakyRelu', operands: 1 },
};

const intKind = 2;

/**
 * Replaces float operators whose operands are all dequantized, and whose result is quantized and not read otherwise, by
 * operators on the integers themselves. Pairs that nobody needs any more are left out. What has no integer form keeps
 * its pairs.
 *
 * @param constants  the initializers: zero points are among them
 * @param wanted  names of the outputs of the graph
 */
export function toOperatorForm(
  nodes: readonly NodeProto[],
  constants: readonly TensorProto[],
  wanted: readonly string[],
): NodeProto[] {
  const types = new Map(constants.map((t) => [t.name, t.dataType]));
  const producers = new Map(nodes.flatMap((n) => n.output.map((o) => [o, n] as const)));
  const readers = new Map<string, NodeProto[]>();
  for (const node of nodes) for (const i of namesReadBy(node)) readers.set(i, [...(readers.get(i) ?? []), node]);
  const replaced = new Map<NodeProto, NodeProto>();
  for (const node of nodes) {
    const to = operators[node.opType];
    const quantizer = onlyReader(node, readers, wanted);
    const integer = to && quantizer && integerNode(node, to, quantizer, producers);
    // Operators of ONNX Runtime take one integer type only.
    const zeroPoints = integer?.input.filter((_, i) => i % 3 === (to?.order === 'resultFirst' ? 1 : 2)) ?? [];
    if (to?.domain && new Set(zeroPoints.map((name) => types.get(name))).size > 1) continue;
    if (integer) replaced.set(quantizer, integer);
  }
  return needed(
    nodes.map((node) => replaced.get(node) ?? node),
    wanted,
  );
}

/** The QuantizeLinear per tensor that is the one reader of a node's one result. */
function onlyReader(
  { output }: NodeProto,
  readers: ReadonlyMap<string, readonly NodeProto[]>,
  wanted: readonly string[],
): NodeProto | undefined {
  const [name, ...others] = output;
  const [reader, ...more] = readers.get(name ?? '') ?? [];
  if (name === undefined || others.length > 0 || more.length > 0 || wanted.includes(name)) return undefined;
  return reader?.opType === 'QuantizeLinear' && reader.attribute.length === 0 ? reader : undefined;
}

function integerNode(
  node: NodeProto,
  to: IntegerOperator,
  quantizer: NodeProto,
  producers: ReadonlyMap<string, NodeProto>,
): NodeProto | undefined {
  const operands = node.input.filter((name, i) => i !== to.bias && name !== '');
  const dequantizers = operands.map((name) => producers.get(name));
  if (to.operands !== undefined && operands.length !== to.operands) return undefined;
  const triples: string[][] = [];
  for (const [i, d] of dequantizers.entries()) {
    // Scales per channel are read by the weights of a convolution only.
    const perChannel = node.opType === 'Conv' && i === 1;
    if (d?.opType !== 'DequantizeLinear' || d.input.length < 3) return undefined;
    if (d.attribute.some((a) => a.name === 'axis' && (a.i ?? 0n) !== 0n) && !perChannel) return undefined;
    if (d.attribute.length > 0 && !perChannel) return undefined;
    triples.push(d.input);
  }
  const name = to.bias === undefined ? '' : (node.input[to.bias] ?? '');
  const bias = name === '' ? [] : integerBias(producers.get(name));
  if (!bias) return undefined;
  const result = quantizer.input.slice(1);
  const inputs = to.order === 'resultFirst' ? [...result, ...triples.flat()] : [...triples.flat(), ...result, ...bias];
  return create(NodeProtoSchema, {
    opType: to.opType,
    domain: to.domain ?? '',
    name: node.name,
    input: inputs,
    output: quantizer.output,
    attribute: [...node.attribute, ...addedAttributes(to)],
  });
}

/** The i32 behind the DequantizeLinear of a bias. */
function integerBias(d: NodeProto | undefined): string[] | undefined {
  return d?.opType === 'DequantizeLinear' ? [d.input[0]!] : undefined;
}

function addedAttributes({ added = {} }: IntegerOperator): Pick<AttributeProto, 'name' | 'type' | 'i'>[] {
  return Object.entries(added).map(([name, i]) => ({ name, type: intKind, i }));
}

/** Nodes that the outputs need. */
function needed(nodes: readonly NodeProto[], wanted: readonly string[]): NodeProto[] {
  const names = new Set(wanted);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.output.some((o) => names.has(o))) return false;
    namesReadBy(node, names);
    return true;
  });
  return kept.reverse();
}
