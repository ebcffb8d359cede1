/** A model of OpenVINO-style operations to an .onnx file. */
import { create, toBinary } from '@bufbuild/protobuf';
import { LowpError } from '../../errors/lowp-error.ts';
import { inputName, type Model, outputName } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { withBodies } from '../../graph/sub-graph.ts';
import { compressWeights } from '../../ops/storage/compress-weights.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { valueInfo } from './build.ts';
import { isWritable } from './data-types.ts';
import { GraphWriter } from './export/graph-writer.ts';
import { expandUnknown, exportOperations, refuseUnknown } from './export-model.ts';
import { ModelProtoSchema, type NodeProto, type StringStringEntryProto, type ValueInfoProto } from './onnx_pb.ts';
import { toOperatorForm } from './operator-form.ts';

/** Operator set and IR version of the files that are written. */
const opset = 17n;
const irVersion = 8n;

/** Largest message that protobuf libraries read. */
const largest = 2 ** 31 - 1;

/** How a quantized model is written. */
export interface WriteOnnxOptions {
  readonly form?: 'pairs' | 'operators';
}

/**
 * Writes an ONNX model of opset 17.
 *
 * Inputs, outputs and values keep their names. An operation that ONNX does not have becomes those that its definition
 * names. A FakeQuantize with 256 levels, equal input and output limits and an integer zero point becomes QuantizeLinear and
 * DequantizeLinear, per tensor or per channel; any other one becomes the arithmetic that defines it. Weights behind a
 * FakeQuantize, and weights that are stored as integers, become an 8-bit initializer and a DequantizeLinear. A constant
 * bias becomes an input of its convolution or matrix product. What a body is given in every iteration is read from the
 * graph around it.
 *
 * Quantized models take the form in which runtimes compute in integers: such a bias is rounded to i32 on the grid of the
 * sums where the product can run on bytes, which moves it by half of a step at most and not at all in models that
 * `quantize` made; values of a grid that were only
 * moved are rounded to it again; activations have one integer type. `readOnnx` gives the same FakeQuantize model.
 *
 * @param options  `form`: `pairs` of QuantizeLinear and DequantizeLinear around float operators, the default; `operators`
 *   on integers (QLinearConv, QLinearMatMul, and those of ONNX Runtime), pairs where there is none
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` for an operation or a form of it that ONNX does not have,
 *   `ERR_LIMIT_SIZE` beyond 2 GB
 */
export function writeOnnx(model: Model, options: WriteOnnxOptions = {}): Uint8Array {
  const copy = model.clone();
  const models = withBodies(copy);
  for (const each of models) {
    expandUnknown(each);
    compressWeights(each);
  }
  refuseUnknown(models);
  const writer = new GraphWriter();
  const inputs = copy.parameters().map((p) => nameInput(writer, p));
  const wanted = copy.results().map((r) => nameOutput(writer, r));
  exportOperations(copy, writer);
  const outputs = copy.results().map((r, i) => finishOutput(writer, r, wanted[i]!));
  const names = outputs.map((o) => o.name);
  const { nodes, initializers } = writer.finish(names);
  const written = options.form === 'operators' ? toOperatorForm(nodes, initializers, names) : nodes;
  checkSize(writer.constantBytes);
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion,
      producerName: 'lowp',
      opsetImport: opsets(written),
      metadataProps: metadata(copy),
      graph: { name: copy.name || 'model', node: written, initializer: initializers, input: inputs, output: outputs },
    }),
  );
}

/** Domains of the operators, each with its version. */
function opsets(nodes: readonly NodeProto[]): { domain: string; version: bigint }[] {
  const others = new Set<string>();
  const add = ({ domain, attribute }: NodeProto): void => {
    if (domain !== '') others.add(domain);
    for (const { g } of attribute) g?.node.forEach(add);
  };
  nodes.forEach(add);
  return [{ domain: '', version: opset }, ...[...others].map((domain) => ({ domain, version: 1n }))];
}

/** Constants of types that operators of opset 17 do not take are widened, inputs and outputs are not. */
function requireWritable(type: ElementType, what: string, node: Node): void {
  if (isWritable(type)) return;
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `${what} has the type ${type}, which ONNX opset 17 does not have`, {
    node: node.name,
    help: 'Write an OpenVINO IR (.xml) instead.',
  });
}

function nameInput(writer: GraphWriter, parameter: Node): ValueInfoProto {
  const { type, shape } = parameter.output.fact;
  requireWritable(type, `the input '${parameter.name}'`, parameter);
  const name = writer.unique(inputName(parameter));
  writer.define(parameter.output, name);
  return valueInfo(name, type, shape);
}

/** Reserves the name of an output, and gives it to the value itself when that is computed and has no name yet. */
function nameOutput(writer: GraphWriter, result: Node): string {
  const name = writer.unique(outputName(result));
  const source = result.source(0);
  if (source && source.node.type !== 'Constant' && !writer.isDefined(source)) writer.define(source, name);
  return name;
}

function finishOutput(writer: GraphWriter, result: Node, name: string): ValueInfoProto {
  const source = result.source(0);
  if (!source) throw new LowpError('ERR_GRAPH_INVALID', `the output '${name}' has no source`, { node: result.name });
  requireWritable(source.fact.type, `the output '${name}'`, source.node);
  const value = writer.nameOf(source);
  if (value !== name) writer.node('Identity', [value], [name], {}, result.name);
  return valueInfo(name, source.fact.type, source.fact.shape);
}

function checkSize(size: number): void {
  if (size < largest - 2 ** 24) return;
  throw new LowpError('ERR_LIMIT_SIZE', `the constants take ${size} bytes; an ONNX file holds less than 2 GB`, {
    help: 'Write an OpenVINO IR (.xml) instead.',
  });
}

/** The metadata that came with an ONNX file. */
function metadata(model: Model): Pick<StringStringEntryProto, 'key' | 'value'>[] {
  const framework = model.meta.find((m) => m.name === 'framework');
  const entries = framework?.children.filter((c) => c.name === 'info') ?? [];
  return entries.flatMap(({ attributes: { name, value } }) =>
    name === undefined || value === undefined || name === 'producer_name' ? [] : [{ key: name, value }],
  );
}
