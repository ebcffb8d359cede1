// Where each value is in memory, in which forms; emits conversions between forms when they are asked for.
import { invariant } from '../errors/assert.ts';
import type { OutputPort } from '../graph/node.ts';
import type { Layout, Placement, QuantFormat, StridedView } from '../ops/lower-context.ts';
import { memoryStrides } from '../ops/memory-layout.ts';
import { emitCopy } from '../ops/movement/emit-copy.ts';
import type { ProgramBuilder } from '../program/builder.ts';
import type { BufferId } from '../program/program.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import { isPerChannel } from './format.ts';
import { evaluatePort } from './int8/weights.ts';
import { constantToChannelsLast, emitLayoutChange, imageSize, sameInBothLayouts } from './layout.ts';

/** One form of a value. Neighbouring pixels (or rows) of a channels-last form are `stride` elements apart. */
export interface Form {
  readonly type: 'f32' | 'u8';
  readonly layout: Layout;
  readonly buffer: BufferId;
  readonly stride: number;
  readonly offset: number;
  readonly format?: QuantFormat;
}

/** The forms of all values of one program. */
export class Values {
  private readonly builder: ProgramBuilder;
  private readonly forms = new Map<OutputPort, Form[]>();
  private readonly constants = new Map<OutputPort, Float32Array>();
  /** Values that are parts of other memory. */
  private readonly views = new Map<OutputPort, StridedView>();

  /** Memory of the program's outputs that no value is in yet. */
  private readonly open = new Map<OutputPort, BufferId>();

  constructor(builder: ProgramBuilder) {
    this.builder = builder;
  }

  /** The value is an output: its first form of dense floats in the model's order goes to `buffer`. */
  return(port: OutputPort, buffer: BufferId): void {
    this.open.set(port, buffer);
  }

  /** Memory for dense floats: that of an output where the value is one and is not there yet. */
  place(port: OutputPort, layout: Layout): BufferId {
    const { shape } = port.fact;
    const output = this.open.get(port);
    if (output === undefined || (layout !== 'plain' && !sameInBothLayouts(shape)))
      return this.builder.temporary('f32', elementCount(shape));
    this.open.delete(port);
    return output;
  }

  /** Copies outputs that are in other memory, for example under another name. */
  copyOutputs(): void {
    for (const port of [...this.open.keys()]) {
      const source = this.float(port, 'plain');
      const buffer = this.open.get(port);
      if (buffer === undefined) continue;
      const params = { rank: 1, d0: elementCount(port.fact.shape), inStride0: 1, outStride0: 1 };
      this.builder.call('copy', params, { name: port.node.name, in: [source], out: [buffer] });
    }
  }

  /** Records a form; where both layouts are the same bytes it counts as either. */
  define(port: OutputPort, form: Form): void {
    const list = this.forms.get(port) ?? [];
    list.push(form);
    this.forms.set(port, list);
  }

  /** Records where a value is; where that is dense in one of the layouts, it is a form like any other. */
  defineView(port: OutputPort, view: StridedView): void {
    const { shape } = port.fact;
    const { type, buffer, format } = view;
    const layouts: readonly Layout[] = shape.length < 3 ? ['plain'] : ['plain', 'channelsLast'];
    const isWhole = view.offset === 0 && this.builder.buffer(buffer).elements === elementCount(shape);
    const layout = layouts.find((l) => isWhole && sameStrides(shape, memoryStrides(shape, l), view.strides));
    if (!layout) this.views.set(port, view);
    else {
      const placement = { buffer, stride: imageSize(shape).channels, offset: 0 };
      this.define(port, formOf(placement, type, layout, format));
    }
  }

  /** True when the value exists as bytes with one scale. */
  isStoredAsBytes(port: OutputPort): boolean {
    const format = this.views.get(port)?.format ?? this.formsOf(port).find((f) => f.type === 'u8')?.format;
    return format?.scale.length === 1;
  }

  /** Where a value of the type is: a view, any of its forms, or dense floats that are made. Bytes exist already. */
  view(port: OutputPort, type: Form['type']): StridedView {
    const view = this.views.get(port);
    if (view?.type === type) return view;
    const { shape } = port.fact;
    const forms = this.formsOf(port).filter((f) => f.type === type);
    const form = forms.find((f) => f.layout === 'channelsLast') ?? forms[0];
    if (!form) return { type, buffer: this.float(port, 'plain'), offset: 0, strides: memoryStrides(shape, 'plain') };
    const { buffer, offset, layout, format } = form;
    const dense = memoryStrides(shape, layout);
    const { channels } = imageSize(shape);
    // Pixels of a channels-last form may be further apart than their channels.
    const isApart = layout === 'channelsLast' && form.stride !== channels;
    const strides = isApart ? dense.map((s, axis) => (axis === 1 ? s : (s / channels) * form.stride)) : dense;
    return { type, buffer, offset, strides, ...(format ? { format } : {}) };
  }

  /** A dense copy of a view in the order of its axes. */
  denseView(name: string, shape: Shape, view: StridedView): StridedView {
    const buffer = this.builder.temporary(view.type, elementCount(shape));
    const strides = memoryStrides(shape, 'plain');
    emitCopy(this.builder, name, { ...boxOf(shape, view), outStrides: strides }, view.buffer, buffer);
    return { ...view, buffer, offset: 0, strides };
  }

  /** Makes the dense form of a value that is a view of that type. */
  private copyView(port: OutputPort, type: Form['type']): void {
    const view = this.views.get(port);
    if (view?.type !== type || this.formsOf(port).some((f) => f.type === type)) return;
    const { shape } = port.fact;
    const buffer = type === 'f32' ? this.place(port, 'plain') : this.builder.temporary(type, elementCount(shape));
    const box = { ...boxOf(shape, view), outStrides: memoryStrides(shape, 'plain') };
    emitCopy(this.builder, port.node.name, box, view.buffer, buffer);
    const placement = { buffer, stride: imageSize(shape).channels, offset: 0 };
    this.define(port, formOf(placement, type, 'plain', view.format));
  }

  has(port: OutputPort): boolean {
    return this.forms.has(port) || this.views.has(port);
  }

  formsOf(port: OutputPort): readonly Form[] {
    return this.forms.get(port) ?? [];
  }

  layoutOf(port: OutputPort): Layout {
    return this.formsOf(port).some((f) => f.layout === 'channelsLast') ? 'channelsLast' : 'plain';
  }

  /** The value as dense floats. A port that nothing emitted is a constant. */
  float(port: OutputPort, layout: Layout): BufferId {
    this.copyView(port, 'f32');
    const known = this.find(port, 'f32', layout, true);
    if (known) return known.buffer;
    if (!this.has(port) || this.constants.has(port)) return this.constantFloat(port, layout);
    const other = this.formsOf(port).find((f) => f.type === 'f32');
    if (other) return this.copyTo(port, other, layout).buffer;
    return this.dequantize(port, layout);
  }

  /** The value as bytes that exist already, converted to `layout`; undefined when it is not stored as bytes. */
  bytes(port: OutputPort, layout: Layout, strided: boolean): Form | undefined {
    this.copyView(port, 'u8');
    const known = this.find(port, 'u8', layout, !strided);
    if (known) return known;
    const other = this.formsOf(port).find((f) => f.type === 'u8');
    return other && this.copyTo(port, other, layout);
  }

  private find(port: OutputPort, type: Form['type'], layout: Layout, dense: boolean): Form | undefined {
    const { channels } = imageSize(port.fact.shape);
    const either = sameInBothLayouts(port.fact.shape);
    return this.formsOf(port).find(
      (f) =>
        f.type === type &&
        (f.layout === layout || either) &&
        (!dense || (f.offset === 0 && f.stride === channels) || f.layout === 'plain'),
    );
  }

  private constantFloat(port: OutputPort, layout: Layout): BufferId {
    const data = this.constants.get(port) ?? toFloat32(evaluatePort(port));
    this.constants.set(port, data);
    const swap = layout === 'channelsLast' && !sameInBothLayouts(port.fact.shape);
    const buffer = this.builder.constant('f32', swap ? constantToChannelsLast(data, port.fact.shape) : data);
    this.define(port, { type: 'f32', layout, buffer, stride: imageSize(port.fact.shape).channels, offset: 0 });
    return buffer;
  }

  /** A dense copy in `layout`, which may be the layout of the form itself when that one is strided. */
  private copyTo(port: OutputPort, form: Form, layout: Layout): Form {
    const { shape } = port.fact;
    const { batch, channels, spatial } = imageSize(shape);
    const buffer =
      form.type === 'f32' ? this.place(port, layout) : this.builder.temporary(form.type, elementCount(shape));
    const name = port.node.name;
    if (form.layout === layout) {
      this.builder.call(
        'copy',
        {
          rank: 2,
          d0: batch * spatial,
          d1: channels,
          inStride0: form.stride,
          inStride1: 1,
          inOffset: form.offset,
          outStride0: channels,
          outStride1: 1,
        },
        { name, in: [form.buffer], out: [buffer] },
      );
    } else emitLayoutChange(this.builder, name, shape, form, buffer);
    const copy: Form = { ...form, layout, buffer, stride: channels, offset: 0 };
    this.define(port, copy);
    return copy;
  }

  private dequantize(port: OutputPort, layout: Layout): BufferId {
    this.copyView(port, 'u8');
    const form = this.formsOf(port).find((f) => f.type === 'u8');
    invariant(form?.format, `${port.node.name} has no value yet`);
    const { shape } = port.fact;
    const { batch, channels, spatial } = imageSize(shape);
    const source = form.offset === 0 ? form : this.copyTo(port, form, form.layout);
    const channelsLast = source.layout === 'channelsLast' || sameInBothLayouts(shape);
    invariant(channelsLast || !isPerChannel(form.format), 'bytes with one scale per channel are channels last');
    const buffer = this.place(port, channelsLast ? layout : 'plain');
    const { scale, zero } = form.format;
    const operands = {
      name: port.node.name,
      in: [source.buffer, this.builder.constant('f32', scale), this.builder.constant('f32', zero)],
      out: [buffer],
    };
    if (channelsLast) {
      const change = layout === 'plain' && !sameInBothLayouts(shape);
      this.builder.call(
        'dequantize',
        { batch, channels, spatial, layout: change ? 1 : 0, inStride: source.stride },
        operands,
      );
      this.define(port, { type: 'f32', layout, buffer, stride: channels, offset: 0 });
      return buffer;
    }
    const elements = elementCount(shape);
    this.builder.call('dequantize', { batch: 1, channels: 1, spatial: elements, layout: 0, inStride: 1 }, operands);
    this.define(port, { type: 'f32', layout: 'plain', buffer, stride: channels, offset: 0 });
    return this.float(port, layout);
  }
}

/** Both strides of a dense box visit the elements in the same order. */
function sameStrides(dims: Shape, a: readonly number[], b: readonly number[]): boolean {
  return dims.every((d, i) => d === 1 || a[i] === b[i]);
}

function boxOf(dims: Shape, view: StridedView) {
  return { dims, inStrides: view.strides, inOffset: view.offset, outOffset: 0 };
}

/** The form that a placement stands for. */
export function formOf(placement: Placement, type: Form['type'], layout: Layout, format?: QuantFormat): Form {
  return { type, layout, ...placement, ...(format ? { format } : {}) };
}
