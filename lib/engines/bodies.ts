// Bodies of loops and conditions, compiled when they first run and once for each shape of what they are fed.
import { throwIfAborted } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import type { SubGraph } from '../graph/sub-graph.ts';
import { getOp } from '../ops/registry.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ByShape } from './by-shape.ts';
import type { Executable } from './engine.ts';
import { shapesOf } from './feeds.ts';

type Compile = (body: Model, shapes: Readonly<Record<string, Shape>>) => Promise<Executable>;

/** Compiled programs kept for each body. */
const keptShapes = 8;

/** Results under names of their own: two results of a body may be the same value. */
const resultName = (i: number): string => `result ${i}`;

/** Runs operations with bodies: their control flow on the host, their bodies compiled. */
export class Bodies {
  private readonly compile: Compile;
  private readonly programs = new Map<SubGraph, ByShape<{ readonly executable: Executable }>>();

  constructor(compile: Compile) {
    this.compile = compile;
  }

  /**
   * The outputs of a node with bodies.
   *
   * @throws {LowpError} `ERR_ABORTED` between two iterations, and what bodies throw
   */
  async run(node: Node, inputs: readonly (Tensor | undefined)[], signal: AbortSignal | undefined): Promise<Tensor[]> {
    const control = getOp(node.type, node.notes.opset).control!(node.attributes, inputs);
    let step = control.next([]);
    while (!step.done) {
      throwIfAborted(signal);
      const { subGraph, feeds } = step.value;
      step = control.next(await this.call(subGraph, feeds, signal));
    }
    return step.value;
  }

  private async call(sub: SubGraph, feeds: readonly Tensor[], signal: AbortSignal | undefined): Promise<Tensor[]> {
    const named = Object.fromEntries(sub.body.parameters().map((p, i) => [p.name, feeds[i]!]));
    const { executable } = await this.programsOf(sub).get(shapesOf(named));
    const { outputs } = await executable.run(named, signal ? { signal } : {});
    return sub.body.results().map((_, i) => outputs[resultName(i)]!);
  }

  private programsOf(sub: SubGraph): ByShape<{ readonly executable: Executable }> {
    let programs = this.programs.get(sub);
    if (!programs) {
      programs = new ByShape(keptShapes, async (shapes) => {
        const body = sub.body.clone();
        for (const p of body.parameters()) p.output.names = [];
        for (const [i, result] of body.results().entries()) result.output.names = [resultName(i)];
        return { executable: await this.compile(body, shapes) };
      });
      this.programs.set(sub, programs);
    }
    return programs;
  }

  async close(): Promise<void> {
    const all = [...this.programs.values()];
    this.programs.clear();
    for (const programs of all) await programs.close();
  }
}
