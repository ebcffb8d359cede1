// The tables of all devices, written out once more in a short form: `8s/t` is 8 bits, symmetric, per tensor.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type OperationRow, type QuantizerChoice, targetOf } from '../../lib/targets/index.ts';

function form(choice: QuantizerChoice): string {
  const { bits, mode, granularity, levelLow, levelHigh, unifiedZeroPoint } = choice;
  const levels = levelLow === undefined ? '' : `[${levelLow},${levelHigh}]`;
  return `${bits}${mode[0]}/${granularity === 'perTensor' ? 't' : 'c'}${levels}${unifiedZeroPoint ? '!' : ''}`;
}

function line(row: OperationRow): string {
  if (row.agnostic) return row.unify ? 'agnostic, unified' : 'agnostic';
  const lists = (['activations', 'weights', 'outputs'] as const).flatMap((group) =>
    row[group] ? [`${group[0]} ${row[group].map(form).join(' ')}`] : [],
  );
  if (row.unify) lists.push(`unify ${JSON.stringify(row.unify)}`);
  return lists.join(' | ');
}

/** Rows with the same content together: content → types in alphabetical order. */
function table(device: string): Record<string, string> {
  const byContent = new Map<string, string[]>();
  for (const row of targetOf(device).operations) {
    byContent.set(line(row), [...(byContent.get(line(row)) ?? []), ...row.types]);
  }
  return Object.fromEntries([...byContent].map(([content, types]) => [content, types.sort().join(' ')]));
}

const compares = 'Equal FloorMod Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr LogicalXor NotEqual';
const moves =
  'Broadcast ConvertLike Crop DepthToSpace Flatten MaxPool Pad ReduceMax Reshape ShuffleChannels Split Squeeze StridedSlice Tile Transpose Unsqueeze VariadicSplit';
const sorted = (...words: string[]): string => words.join(' ').split(' ').sort().join(' ');

const gpu = {
  'a 8s/t 8a/t | w 8s/c[-127,127] 8a/c': sorted(
    'Convolution GroupConvolution ConvolutionBackpropData MatMul Add Multiply Subtract Divide LogicalNot',
    compares,
  ),
  'a 8s/c 8a/c | w 8s/c[-127,127] 8a/c': 'DepthWiseConvolution',
  'a 8s/t 8a/t': sorted('Power AvgPool NormalizeL2 ReduceMean Interpolate MVN'),
  'agnostic, unified': 'Concat',
  agnostic: sorted(moves, 'Gather Maximum Minimum'),
};
const cpu = {
  ...gpu,
  'a 8s/t 8a/t | w 8s/c[-127,127] | unify [[0,1],[4,5]]': 'LSTMSequence',
  'a 8s/t 8a/t | w 8s/c[-127,127] | unify [[0,1],[3,4]]': 'GRUSequence',
};
const weights = '8s/c 4s/c 2s/c 8a/c!';
const vpu = {
  [`a 8a/t 4s/t 8a/t | w ${weights}`]: sorted('Convolution GroupConvolution MatMul'),
  [`a 8a/t | w ${weights}`]: 'GroupConvolutionBackpropData',
  [`a 8s/c | w ${weights}`]: 'DepthWiseConvolution',
  'a 8a/t 4s/t 8a/t | w 8s/c 4s/t 8s/c | unify "all"': 'Add Multiply Subtract',
  'a 8a/t | w 8s/c | unify "all"': sorted('Divide', compares),
  'a 8a/t | w 8s/c': 'LogicalNot',
  'a 8a/t': sorted('Power NormalizeL2 Interpolate MVN'),
  'a 8s/c': 'AvgPool ReduceMean',
  'agnostic, unified': 'Maximum Minimum',
  agnostic: sorted(moves, 'Concat'),
};
const npu = { ...vpu, 'agnostic, unified': 'Concat Maximum Minimum', agnostic: moves };
const [a16, a32] = ['16s/t[-32768,32767]', '32s/t[-2147483648,2147483647]'];
const [w8, w16] = ['8s/c[-127,127]', '16s/t[-32767,32767]'];
const gnaCommon = {
  [`a ${a32} | o ${a16}`]: sorted('Power Sigmoid Tanh ReLU PReLU Clamp Log Abs Exp Sign SoftSign'),
  [`a ${a16}`]: sorted('AvgPool ReduceMean Assign Result'),
  [`o ${a16}`]: 'Parameter',
  agnostic: sorted(moves, 'Concat'),
};
const gna = {
  ...gnaCommon,
  [`a ${a16} | w ${w16} | o ${a32}`]: sorted('Convolution GroupConvolution Multiply Add'),
  [`a ${a16} | w ${w8} ${w16} | o ${a32}`]: 'MatMul',
  [`a ${a16} | w ${w16}`]: 'Subtract',
};
const gna3 = {
  ...gnaCommon,
  [`a 8s/t[-127,127] ${a16} | w ${w8} ${w16} | o ${a32}`]: sorted('Convolution GroupConvolution'),
  [`a ${a16} | w ${w8} ${w16} | o ${a32}`]: sorted('MatMul Multiply'),
  [`a ${a16} | w ${w16} | o ${a32}`]: sorted('Add Subtract'),
};

describe('the table of', () => {
  const tables = { CPU: cpu, ANY: cpu, CPU_SPR: cpu, GPU: gpu, VPU: vpu, NPU: npu, GNA: gna, GNA3: gna3 };
  for (const [device, expected] of Object.entries(tables)) {
    it(device, () => assert.deepEqual(table(device), expected));
  }
});

describe('devices', () => {
  const having = (claim: (device: string) => boolean): string =>
    ['ANY', 'CPU', 'CPU_SPR', 'GPU', 'NPU', 'VPU', 'GNA', 'GNA3'].filter(claim).join(' ');

  it('take mixed for accuracy when they are processors or GPUs', () => {
    assert.equal(
      having((d) => targetOf(d).mixedForAccuracy),
      'ANY CPU CPU_SPR GPU',
    );
  });

  it('have symmetric products of two activations in transformers', () => {
    assert.equal(
      having((d) => targetOf(d).symmetricProducts),
      'ANY CPU CPU_SPR GPU VPU',
    );
  });

  it('may saturate when they are processors without matrix tiles', () => {
    assert.equal(
      having((d) => targetOf(d).mayOverflow),
      'ANY CPU',
    );
  });

  it('leave Multiply of transformers in floating point, but for processors with matrix tiles', () => {
    assert.equal(
      having((d) => targetOf(d).transformerIgnoredTypes.includes('Multiply')),
      'ANY CPU GPU NPU VPU GNA GNA3',
    );
    const rest = 'Add MVN Power ReduceMean SquaredDifference Squeeze Subtract';
    assert.equal([...targetOf('CPU_SPR').transformerIgnoredTypes].sort().join(' '), rest);
  });

  it('of the first GNA prefer 16 bits, those of the third convolutions', () => {
    assert.equal(
      having((d) => targetOf(d).primaryBits === 16),
      'GNA',
    );
    assert.equal(
      having((d) => targetOf(d).inputPriorityTypes?.join() === 'Convolution'),
      'GNA3',
    );
  });
});
