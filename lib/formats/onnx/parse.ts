/** Bytes of an .onnx file to messages: protobuf decoding, and the checks that concern the file as a whole. */
import { LowpError } from '../../errors/lowp-error.ts';
import { sniff } from '../sniff.ts';
import { decodeModel } from './decode.ts';
import type { GraphProto, ModelProto } from './onnx_pb.ts';

/** The operator sets that the importers are written for. */
export const opsetRange = { least: 7, most: 26 } as const;

/** A decoded file that is known to hold a graph. */
export interface ParsedModel {
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  /** Version of the default operator set. */
  readonly opset: number;
}

/**
 * Decodes an .onnx file. Tensor bytes stay views of `bytes`.
 *
 * @throws {LowpError} `ERR_FORMAT_EMPTY`, `ERR_ONNX_SYNTAX`, `ERR_ONNX_OPSET`, `ERR_ONNX_UNSUPPORTED`
 */
export function parseModel(bytes: Uint8Array, path?: string): ParsedModel {
  const at = path === undefined ? {} : { path };
  if (bytes.length === 0) throw new LowpError('ERR_FORMAT_EMPTY', `${path ?? 'the ONNX model'} is empty`, at);
  const proto = decode(bytes, at);
  const { graph, irVersion } = proto;
  if (!graph || irVersion === undefined) {
    const missing = graph ? 'IR version' : 'graph';
    throw new LowpError(
      'ERR_ONNX_SYNTAX',
      `the file has no ${missing}; it is not an ONNX model${looksLike(bytes)}`,
      at,
    );
  }
  if (graph.sparseInitializer.length > 0) {
    throw new LowpError('ERR_ONNX_UNSUPPORTED', 'the model has sparse initializers', at);
  }
  return { proto, graph, opset: defaultOpset(proto, at) };
}

function decode(bytes: Uint8Array, at: { path?: string }): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LowpError('ERR_ONNX_SYNTAX', `the ONNX file cannot be decoded: ${reason}${looksLike(bytes)}`, {
      ...at,
      cause,
      help: 'The file may be truncated, or not an ONNX model.',
    });
  }
}

function defaultOpset(proto: ModelProto, at: { path?: string }): number {
  const versions = proto.opsetImport.filter((o) => o.domain === '' || o.domain === 'ai.onnx');
  if (versions.length !== 1) {
    const text = versions.length === 0 ? 'names no version' : 'names several versions';
    throw new LowpError('ERR_ONNX_OPSET', `the model ${text} of the ONNX operator set`, at);
  }
  const version = Number(versions[0]?.version);
  if (version < opsetRange.least || version > opsetRange.most) {
    throw new LowpError(
      'ERR_ONNX_OPSET',
      `the model uses opset ${version}; lowp reads opset ${opsetRange.least} to ${opsetRange.most}`,
      { ...at, help: 'Convert it with onnx.version_converter, or export it again with a version in that range.' },
    );
  }
  return version;
}

/** What the file is instead, as the end of a sentence. */
function looksLike(bytes: Uint8Array): string {
  const content = sniff(bytes);
  if (content.kind === 'foreign') return `; it looks like ${content.what}`;
  return content.kind === 'ir' ? '; it looks like XML' : '';
}
