/** Functions that a model defines itself: every call is replaced by the nodes of the function's body. */
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from './onnx_pb.ts';

/** The nodes of a graph without calls, and the versions of the default operator set that bodies ask for themselves. */
export interface InlinedGraph {
  readonly nodes: readonly NodeProto[];
  readonly opsets: ReadonlyMap<NodeProto, number>;
}

function keyOf(domain: string, name: string): string {
  return `${domain === 'ai.onnx' ? '' : domain}::${name}`;
}

/** The functions of a file. */
export class FunctionLibrary {
  readonly #functions = new Map<string, FunctionProto>();
  #nodes = 0;

  /** @throws {LowpError} `ERR_ONNX_GRAPH` for a name that is defined twice */
  constructor(functions: readonly FunctionProto[]) {
    for (const f of functions) {
      const key = keyOf(f.domain, f.name);
      if (this.#functions.has(key)) throw new LowpError('ERR_ONNX_GRAPH', `the function ${key} is defined twice`);
      this.#functions.set(key, f);
    }
  }

  /**
   * The nodes of a graph with the bodies of functions in place of their calls. Values inside of a body are called
   * `<node>/<value>`, its nodes `<node>/<node>`. Attributes that refer to those of the caller get their values, else the
   * function's default, else they are left out.
   *
   * @throws {LowpError} `ERR_ONNX_GRAPH` for functions that call each other in a circle, or more inputs or outputs than
   *   the function has; `ERR_LIMIT_SIZE` beyond a million nodes in the file
   */
  inline(given: readonly NodeProto[]): InlinedGraph {
    const opsets = new Map<NodeProto, number>();
    if (this.#functions.size === 0) return { nodes: given, opsets };
    const nodes: NodeProto[] = [];
    const add = (node: NodeProto, opset: number | undefined, depth: number): void => {
      const f = this.#functions.get(keyOf(node.domain, node.opType));
      if (!f) {
        nodes.push(node);
        if (++this.#nodes > limits.functionNodes.value) {
          throw new LowpError('ERR_LIMIT_SIZE', `functions expand to more than ${limits.functionNodes.value} nodes`);
        }
        if (opset !== undefined) opsets.set(node, opset);
        return;
      }
      if (depth === limits.functionDepth.value) {
        throw new LowpError(
          'ERR_ONNX_GRAPH',
          `calls of functions are nested ${limits.functionDepth.value} deep at ${f.name}`,
          {
            help: 'A function may not call itself.',
          },
        );
      }
      const version = f.opsetImport.find((o) => o.domain === '' || o.domain === 'ai.onnx')?.version;
      for (const inner of bodyOf(f, node)) add(inner, version === undefined ? opset : Number(version), depth + 1);
    };
    for (const node of given) add(node, undefined, 0);
    return { nodes, opsets };
  }
}

function bodyOf(f: FunctionProto, call: NodeProto): NodeProto[] {
  const name = call.name || call.output.find((o) => o !== '') || call.opType;
  if (call.input.length > f.input.length || call.output.length > f.output.length) {
    const text = `'${name}' calls ${f.name} with ${call.input.length} inputs and ${call.output.length} outputs`;
    throw new LowpError('ERR_ONNX_GRAPH', `${text}; it has ${f.input.length} and ${f.output.length}`, { node: name });
  }
  const outside = new Map<string, string>();
  for (const [i, inner] of f.input.entries()) outside.set(inner, call.input[i] ?? '');
  for (const [i, inner] of f.output.entries()) if (call.output[i]) outside.set(inner, call.output[i]!);
  const valueName = (inner: string): string => (inner === '' ? '' : (outside.get(inner) ?? `${name}/${inner}`));
  const attributes = new Map([...f.attributeProto, ...call.attribute].map((a) => [a.name, a]));
  return f.node.map((node) => ({
    ...renamed(node, valueName, attributes),
    name: `${name}/${node.name || node.output.find((o) => o !== '') || node.opType}`,
  }));
}

/** A copy of the node that reads and writes values of other names; what it shares with the node is not changed. */
function renamed(
  node: NodeProto,
  valueName: (inner: string) => string,
  attributes: ReadonlyMap<string, AttributeProto>,
): NodeProto {
  const attribute = node.attribute.flatMap((own) => {
    if (own.refAttrName !== '') {
      const given = attributes.get(own.refAttrName);
      return given ? [{ ...given, name: own.name }] : [];
    }
    return [own.g ? { ...own, g: renamedGraph(own.g, valueName, attributes) } : own];
  });
  return { ...node, input: node.input.map(valueName), output: node.output.map(valueName), attribute };
}

/** The graph of an attribute reads values of the body around it. */
function renamedGraph(
  graph: GraphProto,
  valueName: (inner: string) => string,
  attributes: ReadonlyMap<string, AttributeProto>,
): GraphProto {
  const withName = <M extends { readonly name: string }>(message: M): M => ({
    ...message,
    name: valueName(message.name),
  });
  return {
    ...graph,
    input: graph.input.map(withName),
    output: graph.output.map(withName),
    initializer: graph.initializer.map(withName),
    node: graph.node.map((node) => renamed(node, valueName, attributes)),
  };
}
