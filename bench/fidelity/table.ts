// The page with all distances.
import type { Distance, Distances } from './distances.ts';
import type { FidelityResults, FidelityRow } from './main.ts';

/** A Markdown page. */
export function fidelityPage({ host, rows }: FidelityResults): string {
  const head = [
    '| model | input | quantizers: INT8 | simulated | neighbours | output | INT8 | simulated | neighbours | INT8 to simulated |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  return `# INT8, its simulation, and what the model says

${host.cpu} (${host.isa}), ${host.date.slice(0, 10)}, \`${host.command}\`; lowp ${host.versions.lowp}.

A quantized model says what to compute in real numbers: products, sums, and quantizers that round. Three runs are compared with that model in doubles (\`--device REFERENCE_FP64\`, rounding nothing between operations):

- *INT8*: the native runtime; products and their sums are exact, what follows them is a few operations in FP32,
- *simulated*: FakeQuantize and products in FP32 (\`--device CPU_FP32\`),
- *neighbours*: the same with weights, scales and biases moved by up to one unit in the last place of FP32, three seeds. No arithmetic in FP32 can be expected nearer to the doubles than these: they are the same model for all that FP32 can tell.

*Quantizers* is the share of all values behind quantizers that land on another step than in doubles. *Output* columns are the 99.9th percentile of the distance of an output from the doubles, in steps of the 255th part of its range over the samples; *INT8 to simulated* is the distance between these two. Outputs of operations that choose (DetectionOutput, CTC, NonMaxSuppression) are replaced by what these read. *Photographs* are of \`../shared/data/coco\`, *noise* is independent bytes, *data* what the model was trained for. Large networks are left out: doubles take seconds for each billion products.

## What it shows

A value that doubles put within 1e-5 steps of the middle between two bytes is put on either side by different orders of a float sum. Such a tie is rare, but what it moves is a whole step, and behind it everything is computed from another byte: more values land on other steps, from layer to layer, by as much as the network amplifies. Where no value of an early layer is a tie, all runs agree to the last byte. Where one is, runs part: in landmarks-regression on noise, and in head-pose-estimation and vehicle-attributes-recognition on photographs, INT8 stays nearer to the doubles than every simulation; in head-pose-estimation on noise the neighbours leave each other. Deep networks amplify most: in mobilenet_v2 3 to 5 % of the values behind quantizers land on other steps in INT8 and 4 to 15 % in the simulations, whose outputs are 3 to 15 steps from the doubles.

So a distance of more than one step between INT8 and the simulation says nothing by itself: for landmarks-regression on noise all of it is the simulation's. What can be required of INT8 everywhere is that it is not further from the doubles than runs in FP32 are: \`test/conformance/pot-models.test.ts\` requires 1 step, or twice the largest distance among simulation and neighbours where that is more, and the same of the share behind quantizers.

Three faults of lowp were found by these distances and are gone:

- Limits in half precision put real zero beside its byte. Sums knew, padding did not: border values of convolutions were off by up to 0.05 input steps times the weights there. In gaze-estimation-adas-0002, each layer fed with exact bytes, up to 5 % of the border values of a layer landed on another step and none inside; its output was 2.3 steps from the doubles where the simulation was 0.4, and 0.8 without the fault.
- Zeros up to 1e-3 steps beside a byte were taken for the byte.
- Zero points of weights of 2⁻¹⁷, which are 0 in the half precision of their files, were added up over windows by the simulation only.

What remains is within the tolerance above: real zero beside its byte in front of a padded depthwise or transposed convolution, which no model here has.

## ONNX Runtime

\`test/e2e/onnx-runtime.test.ts\` quantizes every network of \`../shared/models\` on noise, writes it in both forms, and runs it in ONNX Runtime 1.30 with its optimizations off (pairs of quantizers around products in floats) and on (integer operators). Two things are required:

- *Layer by layer*, each fed with the bytes of lowp's INT8 run, no value is more than one step away, and 3e-4 of all values at most are one step away. On a CPU with VNNI up to 40 of up to 10 million values are, ties all of them. ENet has more, 2226 of 36 million: its residual sums of two bytes take few values, some exactly in the middle between two steps, where lowp rounds \`x / scale + zero point\` to even and ONNX Runtime \`x / scale\`.
- *Outputs* (99.9th percentile) are within one step of lowp's, or within twice the largest distance that runs of the same model in floats have from each other: lowp's simulation, two neighbours of it, and ONNX Runtime. Without VNNI ONNX Runtime saturates sums of two products; there its integer operators may be as far away as quantization itself is.

ad_autoencoder, cifar10_resnet20, dtln, ic_resnet8, kws_dscnn, meshnet11, mnist, ncf_neumf and sst2 give the outputs of INT8 to the last hundredth of a step. The others have a tie in an early layer, and noise is no input that they were trained to damp: steps of INT8 from ONNX Runtime, and in brackets of float runs from each other, are 2.1 (2.1) in dncnn, 9.1 (9.1) in ENet, 8.7 (8.5) in imdn, 3.3 (6.0) in mobilenet, 0.7 (0.5) in squeezenet, 0.7 (0.7) in version-RFB and version-slim, 64 (62) in yolox_nano.

A fault was found this way and is gone: biases were rounded to 32-bit integers in ONNX only, which put one value in a thousand on another byte in every layer ([ADR 19](adr/0019-biases-on-the-grid.md)). Networks that other tools quantized with float biases still have that distance between lowp and their ONNX form.

## Distances

${[...head, ...rows.flatMap(rowsOf)].join('\n')}

## Boxes of version-RFB-320

\`npm run bench:accuracy\` reports an F1 of 95.51 simulated and 96.94 in INT8, where both should agree. The 128 images have 180 boxes, so a box that is missed costs 0.28 points and one that is traded for another 0.56; boxes count from a score of 0.7 on. The two runs differ in seven of them, six with scores between 0.700 and 0.727. Twelve neighbours of the simulation reach 96.07 to 96.94 (mean 96.45), six INT8 runs with constants moved in the same way 96.07 to 97.22 (mean with the unmoved one 96.64): both figures are draws from distributions that overlap and whose spread is of the size of their difference. An agreement of 0.1 points cannot be seen on 180 boxes.
`;
}

function rowsOf({ model, input, samples, quantizers, outputs }: FidelityRow): string[] {
  const shares = [quantizers.int8, quantizers.simulated].map((d) => percent(d.moved));
  const first = [model, `${input} (${samples})`, ...shares, rangeOf(quantizers, (d) => d.moved, percent)];
  return Object.entries(outputs).map(([name, d], i) => {
    const steps = [d.int8, d.simulated].map((distance) => number(distance.usual));
    const rest = [name, ...steps, rangeOf(d, (m) => m.usual, number), number(d.int8ToSimulated.usual)];
    return `| ${[...(i === 0 ? first : first.map(() => '')), ...rest].join(' | ')} |`;
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}

function number(steps: number): string {
  return steps.toFixed(2);
}

/** Least and largest of the neighbours. */
function rangeOf({ moved }: Distances, what: (d: Distance) => number, text: (v: number) => string): string {
  const values = moved.map(what);
  const [low, high] = [text(Math.min(...values)), text(Math.max(...values))];
  return low === high ? low : `${low} – ${high}`;
}
