// Where each value is in memory, in which forms; emits conversions between forms when they are asked for.
import { invariant } from '../errors/assert.ts';
import type { OutputPort } from '../graph/node.ts';
import type { Layout, Placement, QuantFormat, StridedView } from '../ops/lower-context.ts';
import { memoryStrides } from '../ops/memory-layout.ts';
import { emitCopy } from '../ops/movement/emit-copy.ts';
import type { ProgramBuilder } from '../program/builder.ts';
import { type BufferId, isProgramType, type ProgramType } from '../program/program.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isPerChannel } from './format.ts';
import { evaluatePort } from './int8/weights.ts';
import { constantToChannelsLast, emitLayoutChange, imageSize, sameInBothLayouts } from './layout.ts';

/** The type in which a program keeps the elements of a value that is not quantized: the one that the model states. */
export function ownType(port: OutputPort): ProgramType {
  const { type } = port.fact;
  invariant(isProgramType(type), `'${port.node.name}' has type ${type}`);
  return type;
}

/** One form of a value; one with a `format` is quantized. Neighbouring pixels (or rows) of a channels-last form are `stride` elements apart. */
export interface Form {
  readonly type: ProgramType;
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
  private readonly constants = new Map<OutputPort, Tensor>();
  /** Values that are parts of other memory. */
  private readonly views = new Map<OutputPort, StridedView>();

  /** Memory of the program's outputs that no value is in yet. */
  private readonly open = new Map<OutputPort, BufferId>();

  constructor(builder: ProgramBuilder) {
    this.builder = builder;
  }

  /** The value is an output: its first dense form in its own type and the model's order goes to `buffer`. */
  return(port: OutputPort, buffer: BufferId): void {
    this.open.set(port, buffer);
  }

  /** Memory for dense elements: that of an output where the value is one and is not there yet. */
  place(port: OutputPort, layout: Layout): BufferId {
    const { shape } = port.fact;
    const output = this.open.get(port);
    if (output === undefined || (layout !== 'plain' && !sameInBothLayouts(shape)))
      return this.builder.temporary(ownType(port), elementCount(shape));
    this.open.delete(port);
    return output;
  }

  /** Copies outputs that are in other memory, for example under another name. */
  copyOutputs(): void {
    for (const port of [...this.open.keys()]) {
      const source = this.elements(port, 'plain');
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
    const format = this.views.get(port)?.format ?? this.formsOf(port).find((f) => f.format)?.format;
    return format?.scale.length === 1;
  }

  /** Where a value is, quantized or not: a view, any of its forms, or dense elements that are made. Bytes exist already. */
  view(port: OutputPort, quantized: boolean): StridedView {
    const view = this.views.get(port);
    if (view && isQuantized(view) === quantized) return view;
    const { shape } = port.fact;
    const type = quantized ? 'u8' : ownType(port);
    const forms = this.formsOf(port).filter((f) => f.type === type && isQuantized(f) === quantized);
    const form = forms.find((f) => f.layout === 'channelsLast') ?? forms[0];
    if (!form) {
      return { type, buffer: this.elements(port, 'plain'), offset: 0, strides: memoryStrides(shape, 'plain') };
    }
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

  /** Makes the dense form of a value that is a view, quantized or not. */
  private copyView(port: OutputPort, quantized: boolean): void {
    const view = this.views.get(port);
    if (!view || isQuantized(view) !== quantized || this.formsOf(port).some((f) => isQuantized(f) === quantized))
      return;
    const { type } = view;
    const { shape } = port.fact;
    const buffer = quantized ? this.builder.temporary(type, elementCount(shape)) : this.place(port, 'plain');
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

  /** The value as dense floats. */
  float(port: OutputPort, layout: Layout): BufferId {
    const known = this.dense(port, 'f32', layout);
    if (known !== undefined) return known;
    return this.formsOf(port).some(isQuantized) || this.views.get(port)?.format
      ? this.dequantize(port, layout)
      : this.convertToFloat(port, layout);
  }

  /** The value as floats among the channels of larger pixels; undefined when it has memory of its own. */
  stridedFloat(port: OutputPort): Form | undefined {
    if (this.views.has(port) || this.find(port, 'f32', this.layoutOf(port), { dense: true, quantized: false }))
      return undefined;
    return this.find(port, 'f32', 'channelsLast', { dense: false, quantized: false });
  }

  /** The value as dense elements of its own type. */
  elements(port: OutputPort, layout: Layout): BufferId {
    const known = this.dense(port, ownType(port), layout);
    return known ?? this.dequantize(port, layout);
  }

  /** Elements that are not quantized, where a form of the type exists or the port is a constant, which nothing emitted. */
  private dense(port: OutputPort, type: ProgramType, layout: Layout): BufferId | undefined {
    this.copyView(port, false);
    const known = this.find(port, type, layout, { dense: true, quantized: false });
    if (known) return known.buffer;
    if (!this.has(port) || this.constants.has(port)) return this.constant(port, type, layout);
    const other = this.formsOf(port).find((f) => f.type === type && !f.format);
    return other && this.copyTo(port, other, layout).buffer;
  }

  /** The value as bytes that exist already, converted to `layout`; undefined when it is not stored as bytes. */
  bytes(port: OutputPort, layout: Layout, strided: boolean): Form | undefined {
    this.copyView(port, true);
    const known = this.find(port, 'u8', layout, { dense: !strided, quantized: true });
    if (known) return known;
    const other = this.formsOf(port).find(isQuantized);
    return other && this.copyTo(port, other, layout);
  }

  private find(
    port: OutputPort,
    type: ProgramType,
    layout: Layout,
    wanted: { readonly dense: boolean; readonly quantized: boolean },
  ): Form | undefined {
    const { channels } = imageSize(port.fact.shape);
    const either = sameInBothLayouts(port.fact.shape);
    return this.formsOf(port).find(
      (f) =>
        f.type === type &&
        isQuantized(f) === wanted.quantized &&
        (f.layout === layout || either) &&
        (!wanted.dense || (f.offset === 0 && f.stride === channels) || f.layout === 'plain'),
    );
  }

  private constant(port: OutputPort, type: ProgramType, layout: Layout): BufferId {
    const { shape } = port.fact;
    const value = this.constants.get(port) ?? evaluatePort(port);
    this.constants.set(port, value);
    const swap = layout === 'channelsLast' && !sameInBothLayouts(shape);
    const data = type === 'f32' ? toFloat32(value) : value.data;
    const buffer = this.builder.constant(type, swap ? constantToChannelsLast(data, shape) : data);
    this.define(port, { type, layout, buffer, stride: imageSize(shape).channels, offset: 0 });
    return buffer;
  }

  private convertToFloat(port: OutputPort, layout: Layout): BufferId {
    const own = this.elements(port, layout);
    const elements = elementCount(port.fact.shape);
    const buffer = this.builder.temporary('f32', elements);
    this.builder.call('convert', { elements }, { name: port.node.name, in: [own], out: [buffer] });
    this.define(port, { type: 'f32', layout, buffer, stride: imageSize(port.fact.shape).channels, offset: 0 });
    return buffer;
  }

  /** A dense copy in `layout`, which may be the layout of the form itself when that one is strided. */
  private copyTo(port: OutputPort, form: Form, layout: Layout): Form {
    const { shape } = port.fact;
    const { batch, channels, spatial } = imageSize(shape);
    const isOwn = !form.format && form.type === ownType(port);
    const buffer = isOwn ? this.place(port, layout) : this.builder.temporary(form.type, elementCount(shape));
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
    this.copyView(port, true);
    const form = this.formsOf(port).find(isQuantized);
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

function isQuantized({ format }: { readonly format?: QuantFormat }): boolean {
  return format !== undefined;
}

function boxOf(dims: Shape, view: StridedView) {
  return { dims, inStrides: view.strides, inOffset: view.offset, outOffset: 0 };
}

/** The form that a placement stands for. */
export function formOf(placement: Placement, type: ProgramType, layout: Layout, format?: QuantFormat): Form {
  return { type, layout, ...placement, ...(format ? { format } : {}) };
}
