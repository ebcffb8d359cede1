// The driver: a list of nodes becomes a Program.
import { invariant } from '../errors/assert.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import type {
  Joint,
  Layout,
  LowerContext,
  MultiplyAccumulate,
  Placement,
  QuantFormat,
  QuantizedValue,
  StridedView,
  Tail,
} from '../ops/lower-context.ts';
import { getOp, runtimeOf } from '../ops/registry.ts';
import { ProgramBuilder } from '../program/builder.ts';
import type { BufferId, Program, ProgramType } from '../program/program.ts';
import { elementCount } from '../tensor/shape.ts';
import { lowerComputedProduct } from './computed-product.ts';
import { type Chains, gatherChains } from './fuse-post-ops.ts';
import { type Joins, planJoins } from './join.ts';
import { imageSize } from './layout.ts';
import {
  emitMore,
  emitObservation,
  emitObservedClamp,
  type ObservedPort,
  observedOutputs,
  readsStrided,
} from './observe.ts';
import { type PrecisionPlan, planPrecision } from './plan.ts';
import { lowerProduct } from './product.ts';
import { formOf, ownType, Values } from './values.ts';

/** What to lower: nodes in topological order and the ports where values enter and leave. */
export interface LoweringInput {
  readonly nodes: readonly Node[];
  /** Values that come from outside; constants are not listed. */
  readonly inputs: readonly OutputPort[];
  /** Values to return, each once, in their own type and the model's layout. */
  readonly outputs: readonly OutputPort[];
  readonly observe?: readonly ObservedPort[];
  /** Nothing runs on bytes: quantizers round floats. */
  readonly simulate?: boolean;
}

/** A program; its inputs and outputs are in the order of the request, observations after the outputs. */
export interface Lowered {
  readonly program: Program;
  readonly plan: PrecisionPlan;
  readonly chains: Chains;
}

/** Observed values that have no observer yet, with the outputs for their statistics and for elements by rank. */
type Observers = Map<ObservedPort, { readonly statistics: BufferId; readonly more: readonly BufferId[] }>;

/** Lowers a list of nodes whose operations all have `lower`. */
export function lower(input: LoweringInput): Lowered {
  const lowering = new Lowering(input);
  return lowering.run();
}

/** The state of one lowering; what operations see of it is {@link LowerContext}. */
export class Lowering implements LowerContext {
  readonly builder = new ProgramBuilder();
  readonly values = new Values(this.builder);
  readonly plan: PrecisionPlan;
  private readonly input: LoweringInput;
  private readonly chains: Chains;
  private readonly joins: Joins;
  /** Values that must exist as they are: outputs, observed, or read from elsewhere. */
  private readonly exposed: ReadonlySet<OutputPort>;
  /** Clamps that an observer has done. */
  private readonly observedClamps = new Set<Node>();

  constructor(input: LoweringInput) {
    this.input = input;
    this.plan = planPrecision(input.nodes, input.simulate);
    const read = new Set(input.outputs);
    const inside = new Set(input.nodes);
    for (const node of input.nodes)
      for (const out of node.outputs) if ([...out.consumers].some((c) => !inside.has(c.node))) read.add(out);
    const observed = input.observe ?? [];
    const apart = observed.filter((o) => !readsStrided(o)).map((o) => o.port);
    this.exposed = new Set([...read, ...observed.map((o) => o.port)]);
    this.chains = gatherChains(input.nodes, this.plan, this.exposed);
    this.joins = planJoins(input.nodes, this.plan, this.chains, new Set([...read, ...apart]), this.exposed);
  }

  run(): Lowered {
    for (const port of this.input.outputs)
      this.values.return(port, this.builder.output(portName(port), ownType(port), port.fact.shape));
    const observers: Observers = new Map(
      (this.input.observe ?? []).map((o) => {
        const outs = observedOutputs(o).map(({ name, type, shape }) => this.builder.output(name, type, shape));
        return [o, { statistics: outs[0]!, more: outs.slice(1) }];
      }),
    );
    for (const port of this.input.inputs) this.bindInput(port);
    this.observeDefined(observers);
    for (const node of this.input.nodes) {
      this.emitReady(node);
      this.observeDefined(observers);
    }
    this.values.copyOutputs();
    return { program: this.builder.finish(), plan: this.plan, chains: this.chains };
  }

  /** Emits the observers of all values that exist by now. */
  private observeDefined(observers: Observers): void {
    for (const [observed, outs] of observers) {
      if (!this.values.has(observed.port)) continue;
      observers.delete(observed);
      emitMore(this, observed, outs.more);
      const clamp = this.clampBehind(observed.port);
      const twin = clamp && [...observers.keys()].find((o) => o.port === clamp.node.output && o.axis === observed.axis);
      const out = { before: outs.statistics, after: twin && observers.get(twin)!.statistics };
      if (!clamp || !emitObservedClamp(this, observed, clamp, out)) {
        emitObservation(this, observed, outs.statistics);
        continue;
      }
      this.observedClamps.add(clamp.node);
      if (!twin) continue;
      emitMore(this, twin, observers.get(twin)!.more);
      observers.delete(twin);
    }
  }

  /** The clamp that is the only reader of a float value and has not been emitted: an observer can do it on its way. */
  private clampBehind(port: OutputPort): { node: Node; low: number; high: number } | undefined {
    const [reader, ...others] = port.consumers;
    if (!reader || others.length > 0 || !this.plan.precision.has(reader.node)) return undefined;
    const { node, index } = reader;
    if (this.plan.precision.get(node)!.bytes || this.values.has(node.output)) return undefined;
    if (this.chains.absorbedBy.has(node) || (this.chains.byAnchor.get(node)?.steps.length ?? 0) > 0) return undefined;
    const step = getOp(node.type, node.notes.opset).asPostOp?.(node.attributes, node, index, port.node);
    return step?.kind === 'clamp' ? { node, low: step.low, high: step.high } : undefined;
  }

  /** Emits the chain that ends at `node`: by then everything that a fused sum reads has been emitted. */
  private emitReady(node: Node): void {
    const chain = this.chains.absorbedBy.get(node) ?? this.chains.byAnchor.get(node);
    const anchor = chain ? chain.anchor : node;
    const last = chain?.absorbed.at(-1) ?? anchor;
    if (node !== last || this.observedClamps.has(node)) return;
    const definition = getOp(anchor.type, anchor.notes.opset);
    invariant(definition.lower, `${anchor.type} has no lowering`);
    definition.lower(anchor.attributes, anchor, this);
  }

  float(node: Node, input: number, layout: Layout): BufferId {
    return this.values.float(node.source(input)!, layout);
  }

  elements(node: Node, input: number, layout: Layout): BufferId {
    return this.values.elements(node.source(input)!, layout);
  }

  quantized(
    node: Node,
    input: number,
    layout: Layout,
    options: { strided?: boolean } = {},
  ): QuantizedValue | undefined {
    if (!this.plan.precision.get(node)!.bytes) return undefined;
    const form = this.values.bytes(node.source(input)!, layout, options.strided ?? false);
    invariant(form?.format, `${node.name}: input ${input} is not stored as bytes`);
    if (form.offset !== 0) return this.denseBytes(node.source(input)!, layout);
    return { buffer: form.buffer, stride: form.stride, format: form.format };
  }

  private denseBytes(port: OutputPort, layout: Layout): QuantizedValue {
    const form = this.values.bytes(port, layout, false)!;
    return { buffer: form.buffer, stride: form.stride, format: form.format! };
  }

  view(node: Node, input: number): StridedView {
    return this.values.view(node.source(input)!, this.plan.precision.get(node)!.bytes);
  }

  defineView(port: OutputPort, view: StridedView): void {
    this.values.defineView(port, view);
  }

  isRead(port: OutputPort): boolean {
    return port.consumers.size > 0 || this.exposed.has(port);
  }

  isReadPlain(port: OutputPort): boolean {
    return [...port.consumers].every((c) => runtimeOf(c.node)?.readsPlain ?? false);
  }

  layoutOf(node: Node, input: number): Layout {
    return this.values.layoutOf(node.source(input)!);
  }

  tail(node: Node): Tail {
    const chain = this.chains.byAnchor.get(node);
    const clamp = chain?.steps.find((s) => s.kind === 'clamp');
    const store = chain?.steps.find((s) => s.kind === 'quantize');
    const scale = chain?.steps.find((s) => s.kind === 'scale');
    const bias = chain?.steps.find((s) => s.kind === 'bias');
    const beside = chain?.beside;
    return {
      port: chain?.port ?? node.output,
      low: clamp?.low ?? Number.NEGATIVE_INFINITY,
      high: clamp?.high ?? Number.POSITIVE_INFINITY,
      ...(store ? { format: store.format } : {}),
      ...(scale ? { scale: scale.values } : {}),
      ...(bias ? { bias: bias.values } : {}),
      ...(beside ? { beside: { port: beside.node.output, format: beside.format } } : {}),
    };
  }

  storedFormat(node: Node): QuantFormat | undefined {
    return this.plan.precision.get(node)!.bytes ? this.plan.format.get(node.output) : undefined;
  }

  placeFloat(port: OutputPort, layout: Layout, options: { strided?: boolean } = {}): Placement {
    const joined = options.strided ? this.joinPlacement(port, 'f32', layout) : undefined;
    const stride = imageSize(port.fact.shape).channels;
    const placement = joined ?? { buffer: this.values.place(port, layout), stride, offset: 0 };
    this.values.define(port, formOf(placement, 'f32', layout));
    return placement;
  }

  place(port: OutputPort, layout: Layout): BufferId {
    const buffer = this.values.place(port, layout);
    const stride = imageSize(port.fact.shape).channels;
    this.values.define(port, formOf({ buffer, stride, offset: 0 }, ownType(port), layout));
    return buffer;
  }

  placeQuantized(
    port: OutputPort,
    layout: Layout,
    format: QuantFormat,
    options: { strided?: boolean; pixel?: number } = {},
  ): Placement {
    const joined = options.strided ? this.joinPlacement(port, 'u8', layout) : undefined;
    const { batch, channels, spatial } = imageSize(port.fact.shape);
    const stride = Math.max(channels, options.pixel ?? 0);
    const placement = joined ?? { buffer: this.builder.temporary('u8', batch * spatial * stride), stride, offset: 0 };
    this.values.define(port, formOf(placement, 'u8', layout, format));
    return placement;
  }

  private joinPlacement(port: OutputPort, type: ProgramType, layout: Layout): Placement | undefined {
    const slot = this.joins.slots.get(port);
    if (!slot || slot.group.type !== type || layout !== 'channelsLast') return undefined;
    return { buffer: this.jointBuffer(slot.group.node), stride: slot.group.channels, offset: slot.offset };
  }

  private jointBuffer(node: Node): BufferId {
    const group = this.joins.groups.get(node)!;
    group.buffer ??= this.builder.temporary(group.type, elementCount(node.output.fact.shape));
    return group.buffer;
  }

  joint(node: Node): Joint {
    const buffer = this.joins.groups.get(node)?.buffer;
    const format = this.plan.precision.get(node)!.bytes ? this.plan.format.get(node.output) : undefined;
    const type = format ? 'u8' : ownType(node.output);
    if (buffer !== undefined) {
      const stride = imageSize(node.output.fact.shape).channels;
      this.values.define(node.output, formOf({ buffer, stride, offset: 0 }, type, 'channelsLast', format));
      const isWritten = node.inputs.map((i) => this.values.formsOf(i.source!).some((f) => f.buffer === buffer));
      return { buffer, layout: 'channelsLast', isWritten };
    }
    const isApart = (format?.scale.length ?? 1) > 1;
    const hasPixels = isApart || node.inputs.some((_, i) => this.layoutOf(node, i) === 'channelsLast');
    const layout = hasPixels ? 'channelsLast' : 'plain';
    const own = format ? this.placeQuantized(node.output, layout, format).buffer : this.place(node.output, layout);
    return { buffer: own, layout, isWritten: node.inputs.map(() => false) };
  }

  alias(port: OutputPort, node: Node, input: number, layouts: { from: Layout; to: Layout }): void {
    const bytes = this.quantized(node, input, layouts.from);
    const type = ownType(port);
    const own = () =>
      type === 'f32' ? this.float(node, input, layouts.from) : this.elements(node, input, layouts.from);
    const buffer = bytes?.buffer ?? own();
    const stride = imageSize(port.fact.shape).channels;
    this.values.define(port, formOf({ buffer, stride, offset: 0 }, bytes ? 'u8' : type, layouts.to, bytes?.format));
  }

  multiplyAccumulate(node: Node, product: MultiplyAccumulate): void {
    const chain = this.chains.byAnchor.get(node);
    invariant(chain, `${node.name} is not the anchor of a chain`);
    lowerProduct(this, node, chain, product);
  }

  multiplyComputed(node: Node, transposes: { readonly a: boolean; readonly b: boolean }): void {
    const chain = this.chains.byAnchor.get(node);
    invariant(chain, `${node.name} is not the anchor of a chain`);
    lowerComputedProduct(this, node, chain, transposes);
  }

  /** A value from outside, in its own type and the model's order. */
  private bindInput(port: OutputPort): void {
    const { shape } = port.fact;
    const buffer = this.builder.input(portName(port), ownType(port), shape);
    const stride = imageSize(shape).channels;
    this.values.define(port, formOf({ buffer, stride, offset: 0 }, ownType(port), 'plain'));
  }
}

/** Name of a port inside a program: unique in a model. */
export function portName(port: OutputPort): string {
  return port.node.outputs.length > 1 ? `${port.node.name}.${port.index}` : port.node.name;
}
