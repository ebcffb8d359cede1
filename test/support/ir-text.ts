// The text of small IRs, layer by layer, right or wrong on purpose.

/** A layer; ports are numbered through inputs and outputs as IR writers do. */
export interface LayerText {
  readonly id: number | string;
  readonly type: string;
  readonly name?: string;
  readonly opset?: string;
  /** Attributes of `<data>`. */
  readonly data?: string;
  readonly inputs?: number;
  readonly outputs?: number;
  /** `names` of output 0. */
  readonly names?: string;
  /** Further elements of the layer. */
  readonly extra?: string;
}

/** From layer, from port, to layer, to port. */
export type EdgeText = readonly [number | string, number | string, number | string, number | string];

/** An IR with these layers and edges. */
export function irText(layers: readonly LayerText[], edges: readonly EdgeText[], rest = '', version = '11'): string {
  const lines = layers.map((l) => {
    const inputs = Array.from({ length: l.inputs ?? 0 }, (_, i) => `<port id="${i}"/>`).join('');
    const outputs = Array.from({ length: l.outputs ?? 1 }, (_, i) => {
      const names = i === 0 && l.names !== undefined ? ` names="${l.names}"` : '';
      return `<port id="${(l.inputs ?? 0) + i}" precision="FP32"${names}/>`;
    }).join('');
    return (
      `<layer id="${l.id}" name="${l.name ?? `${l.type}_${l.id}`}" type="${l.type}" version="${l.opset ?? 'opset1'}">` +
      `${l.data === undefined ? '' : `<data ${l.data}/>`}${l.extra ?? ''}` +
      `${inputs ? `<input>${inputs}</input>` : ''}${outputs ? `<output>${outputs}</output>` : ''}</layer>`
    );
  });
  const links = edges.map(
    ([a, b, c, d]) => `<edge from-layer="${a}" from-port="${b}" to-layer="${c}" to-port="${d}"/>`,
  );
  return (
    `<?xml version="1.0"?>\n<net name="n" version="${version}">\n<layers>\n${lines.join('\n')}\n</layers>\n` +
    `<edges>\n${links.join('\n')}\n</edges>\n${rest}</net>\n`
  );
}

/** `x + c` with `c` at the given place of the .bin. */
export function addIr(constant = 'element_type="f32" shape="2" offset="0" size="8"', shape = '2'): string {
  return irText(
    [
      { id: 0, type: 'Parameter', name: 'x', data: `element_type="f32" shape="${shape}"`, names: 'x' },
      { id: 1, type: 'Const', name: 'c', data: constant },
      { id: 2, type: 'Add', name: 'sum', data: 'auto_broadcast="numpy"', inputs: 2, names: 'y' },
      { id: 3, type: 'Result', name: 'y', inputs: 1, outputs: 0 },
    ],
    [
      [0, 0, 2, 0],
      [1, 0, 2, 1],
      [2, 2, 3, 0],
    ],
  );
}
