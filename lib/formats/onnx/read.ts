/** An .onnx file to a model of OpenVINO-style operations. */
import path from 'node:path';
import { removeDead } from '../../graph/edit.ts';
import { type MetaElement, Model } from '../../graph/model.ts';
import type { Shape } from '../../tensor/shape.ts';
import { FunctionLibrary } from './functions.ts';
import { type FileContext, GraphReader, newState } from './graph-reader.ts';
import type { ModelProto } from './onnx_pb.ts';
import { parseModel } from './parse.ts';
import { moveToAlignment } from './tensor-proto.ts';

export interface ReadOnnxOptions {
  /** Path of the file: for messages, and for external data, which must lie in the same folder. */
  readonly path?: string;
  /** The bytes belong to the reader: constants are moved to where they are aligned instead of copied. Default false. */
  readonly isOwned?: boolean;
  /** Shapes of inputs that are declared without one, by name; -1 is a dynamic dimension. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /**
   * Shapes of the tensors of inputs that are sequences or optional, by the name of the input; null when an optional is
   * absent. Tensor `i` of a sequence `x` becomes the input `x.i`.
   */
  readonly elements?: Readonly<Record<string, readonly Shape[] | null>>;
}

/**
 * Reads an ONNX model of opset 7 to 26.
 *
 * Inputs and outputs keep their ONNX names, values become tensor names of ports, nodes keep their names (the name of
 * the first output stands in for a missing one). Symbolic dimensions become -1. Constants are views of `bytes` where
 * they are aligned; operations on constants are evaluated. Float16, bfloat16 and double are computed in f32: inputs of
 * these types are declared f32, large float16 weights stay float16 behind a Convert marked as decompression.
 * QuantizeLinear and DequantizeLinear around an activation become one FakeQuantize; a pair behind operations that only
 * moved values of the same grid disappears.
 *
 * Bodies become those of If, Loop and TensorIterator; one whose condition is known takes the place of its node. A sequence
 * is a list of values while the model is read: its length must follow from constants, or the loop that makes it is
 * written out. An output that is a sequence `y` becomes the outputs `y.0`, `y.1` and so on.
 *
 * @param bytes  the whole file; it must not change while the model is in use
 * @throws {LowpError} `ERR_ONNX_*`, `ERR_FORMAT_EMPTY`, and what the inference of operations throws
 */
export function readOnnx(bytes: Uint8Array, options: ReadOnnxOptions = {}): Model {
  const { proto, graph, opset } = parseModel(bytes, options.path);
  const functions = new FunctionLibrary(proto.functions);
  if (options.isOwned) graph.initializer.forEach(moveToAlignment);
  const fallback = options.path === undefined ? 'model' : path.basename(options.path, path.extname(options.path));
  const model = new Model(graph.name || fallback);
  if (options.path !== undefined) model.path = options.path;
  model.meta = metadata(proto);
  const shapes = { shapes: options.shapes ?? {}, elements: options.elements ?? {} };
  const file: FileContext = { path: options.path, functions, shapes, read: { nodes: 0 } };
  new GraphReader(file, newState(model, opset)).readMain(graph);
  removeDead(model);
  return model;
}

function metadata(proto: ModelProto): MetaElement[] {
  const entries = proto.metadataProps.map(({ key, value }) => ({ key, value }));
  if (proto.producerName) entries.unshift({ key: 'producer_name', value: proto.producerName });
  if (entries.length === 0) return [];
  const children = entries.map(({ key, value }) => ({ name: 'info', attributes: { name: key, value }, children: [] }));
  return [{ name: 'framework', attributes: {}, children }];
}
