// Where each value is in memory, in which forms; emits conversions between forms when they are asked for.
import { invariant } from '../errors/assert.ts';
import type { OutputPort } from '../graph/node.ts';
import type { Layout, Placement, QuantFormat } from '../ops/lower-context.ts';
import type { ProgramBuilder } from '../program/builder.ts';
import type { BufferId } from '../program/program.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount } from '../tensor/shape.ts';
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

  has(port: OutputPort): boolean {
    return this.forms.has(port);
  }

  formsOf(port: OutputPort): readonly Form[] {
    return this.forms.get(port) ?? [];
  }

  layoutOf(port: OutputPort): Layout {
    return this.formsOf(port).some((f) => f.layout === 'channelsLast') ? 'channelsLast' : 'plain';
  }

  /** The value as dense floats. A port that nothing emitted is a constant. */
  float(port: OutputPort, layout: Layout): BufferId {
    const known = this.find(port, 'f32', layout, true);
    if (known) return known.buffer;
    if (!this.has(port) || this.constants.has(port)) return this.constantFloat(port, layout);
    const other = this.formsOf(port).find((f) => f.type === 'f32');
    if (other) return this.copyTo(port, other, layout).buffer;
    return this.dequantize(port, layout);
  }

  /** The value as bytes that exist already, converted to `layout`; undefined when it is not stored as bytes. */
  bytes(port: OutputPort, layout: Layout, strided: boolean): Form | undefined {
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

/** The form that a placement stands for. */
export function formOf(placement: Placement, type: Form['type'], layout: Layout, format?: QuantFormat): Form {
  return { type, layout, ...placement, ...(format ? { format } : {}) };
}
