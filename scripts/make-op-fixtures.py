"""Writes test/conformance/cases/torch.gen.ts: operations computed by PyTorch on small patterned inputs.

Run with a Python that has torch (1.13 was used): python3 scripts/make-op-fixtures.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F

CASES = []


def pattern(shape, seed):
    """The same numbers as `pattern` in test/conformance/cases/op-case.ts: multiples of 1/64 in [-2, 2]."""
    count = 1
    for d in shape:
        count *= d
    values = [(((i * 7919 + seed * 104729) % 257) - 128) / 64 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def add(name, op, attributes, inputs, *expected, opset=None):
    """`inputs`: (shape, seed) for patterned floats, or a list of integers for a constant."""
    case = {'name': name, 'op': op}
    if opset:
        case['opset'] = opset
    case['attributes'] = attributes
    case['inputs'] = [
        {'shape': list(i[0]), 'seed': i[1]} if isinstance(i, tuple) else {'integers': i} for i in inputs
    ]
    case['expected'] = []
    for y in expected:
        integer = not y.dtype.is_floating_point
        values = [int(v) if integer else float(f'{v:.9g}') for v in y.flatten().tolist()]
        case['expected'].append({'type': 'i64' if integer else 'f32', 'shape': list(y.shape), 'values': values})
    CASES.append(case)


def window(strides, pads_begin, pads_end, **more):
    return {'strides': strides, 'pads_begin': pads_begin, 'pads_end': pads_end, **more}


def both(begin, end):
    """Pads in the order of F.pad: last axis first."""
    flat = []
    for b, e in zip(reversed(begin), reversed(end)):
        flat += [b, e]
    return flat


def convolutions():
    grid = [
        ('one axis', (2, 3, 9), (4, 3, 3), [2], [1], [1], [1]),
        ('3x3, stride 1', (1, 2, 5, 6), (3, 2, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1]),
        ('3x3, stride 2, padding at the end', (1, 2, 6, 6), (3, 2, 3, 3), [2, 2], [1, 1], [0, 0], [1, 1]),
        ('dilated, uneven strides', (1, 1, 8, 9), (2, 1, 3, 2), [2, 1], [2, 3], [2, 1], [2, 1]),
        ('1x1', (2, 4, 3, 3), (5, 4, 1, 1), [1, 1], [1, 1], [0, 0], [0, 0]),
        ('1x1, stride 2', (1, 4, 5, 5), (2, 4, 1, 1), [2, 2], [1, 1], [0, 0], [0, 0]),
        ('three axes', (1, 2, 4, 5, 4), (2, 2, 2, 3, 2), [1, 2, 1], [1, 1, 2], [1, 0, 1], [0, 1, 1]),
    ]
    for name, xs, ws, strides, dilations, begin, end in grid:
        x, w = pattern(xs, 1), pattern(ws, 2)
        conv = [None, F.conv1d, F.conv2d, F.conv3d][len(strides)]
        y = conv(F.pad(x, both(begin, end)), w, stride=strides, dilation=dilations)
        add(f'Convolution: {name}', 'Convolution', window(strides, begin, end, dilations=dilations), [(xs, 1), (ws, 2)], y)
    for name, xs, ws, strides, pad in [
        ('depthwise', (1, 4, 5, 5), (4, 1, 1, 3, 3), [1, 1], [1, 1]),
        ('two groups', (1, 4, 5, 4), (2, 3, 2, 3, 3), [2, 1], [1, 1]),
        ('depthwise with multiplier', (2, 3, 6), (3, 2, 1, 3), [2], [1]),
    ]:
        x, w = pattern(xs, 3), pattern(ws, 4)
        flat = w.reshape(ws[0] * ws[1], *ws[2:])
        conv = F.conv1d if len(strides) == 1 else F.conv2d
        y = conv(x, flat, stride=strides, padding=pad, groups=ws[0])
        add(f'GroupConvolution: {name}', 'GroupConvolution', window(strides, pad, pad, dilations=[1] * len(pad)), [(xs, 3), (ws, 4)], y)


def transposed_convolutions():
    for name, xs, ws, strides, pad, extra, dilation in [
        ('2x2, stride 2', (1, 3, 3, 4), (3, 2, 2, 2), [2, 2], [0, 0], [0, 0], [1, 1]),
        ('3x3, stride 2, padded', (1, 2, 4, 3), (2, 3, 3, 3), [2, 2], [1, 1], [1, 1], [1, 1]),
        ('dilated', (2, 2, 5), (2, 1, 3), [1], [2], [0], [2]),
    ]:
        x, w = pattern(xs, 5), pattern(ws, 6)
        conv = F.conv_transpose1d if len(strides) == 1 else F.conv_transpose2d
        y = conv(x, w, stride=strides, padding=pad, output_padding=extra, dilation=dilation)
        attributes = window(strides, pad, pad, dilations=dilation, output_padding=extra)
        add(f'ConvolutionBackpropData: {name}', 'ConvolutionBackpropData', attributes, [(xs, 5), (ws, 6)], y)
    xs, ws = (1, 4, 3, 3), (2, 2, 3, 3, 3)
    y = F.conv_transpose2d(pattern(xs, 5), pattern(ws, 6).reshape(4, 3, 3, 3), stride=2, padding=1, groups=2)
    attributes = window([2, 2], [1, 1], [1, 1], dilations=[1, 1])
    add('GroupConvolutionBackpropData: two groups', 'GroupConvolutionBackpropData', attributes, [(xs, 5), (ws, 6)], y)


def pooling():
    for name, xs, kernel, strides, pad, ceil in [
        ('2x2', (1, 2, 4, 6), [2, 2], [2, 2], [0, 0], False),
        ('3x3, stride 2, padded', (1, 2, 5, 6), [3, 3], [2, 2], [1, 1], False),
        ('3x3, stride 2, ceil', (1, 1, 6, 7), [3, 3], [2, 2], [0, 0], True),
        ('3x3, stride 2, padded, ceil', (1, 1, 6, 8), [3, 3], [2, 2], [1, 1], True),
        ('one axis', (2, 2, 7), [3], [2], [1], False),
    ]:
        x = pattern(xs, 7)
        attributes = window(strides, pad, pad, kernel=kernel, rounding_type='ceil' if ceil else 'floor')
        pool = F.max_pool1d if len(kernel) == 1 else F.max_pool2d
        y, at = pool(x, kernel, strides, pad, ceil_mode=ceil, return_indices=True)
        add(f'MaxPool: {name}', 'MaxPool', attributes, [(xs, 7)], y, opset='opset1')
        attributes8 = {**attributes, 'dilations': [1] * len(kernel), 'axis': 2}
        add(f'MaxPool-8: {name}', 'MaxPool', attributes8, [(xs, 7)], y, at, opset='opset8')
        average = F.avg_pool1d if len(kernel) == 1 else F.avg_pool2d
        for exclude in [True, False]:
            y = average(x, kernel, strides, pad, ceil_mode=ceil, count_include_pad=not exclude)
            suffix = 'without padding' if exclude else 'with padding'
            add(f'AvgPool: {name}, counts {suffix}', 'AvgPool', {**attributes, 'exclude-pad': exclude}, [(xs, 7)], y)
    xs = (1, 1, 7, 8)
    y, at = F.max_pool2d(pattern(xs, 8), 3, 1, 1, dilation=2, return_indices=True)
    attributes = window([1, 1], [1, 1], [1, 1], kernel=[3, 3], dilations=[2, 2], axis=2)
    add('MaxPool-8: dilated', 'MaxPool', attributes, [(xs, 8)], y, at, opset='opset8')


def padding():
    for mode, name in [('constant', 'constant'), ('reflect', 'reflect'), ('edge', 'replicate')]:
        xs = (1, 2, 3, 4)
        y = F.pad(pattern(xs, 9), [1, 2, 2, 0], mode=name)
        add(f'Pad: {mode}', 'Pad', {'pad_mode': mode}, [(xs, 9), [0, 0, 2, 1], [0, 0, 0, 2]], y)


def resizing():
    def attributes(mode, coordinate, **more):
        rest = {'nearest_mode': 'floor', 'antialias': False, 'pads_begin': [0], 'pads_end': [0], 'cube_coeff': -0.75}
        return {'mode': mode, 'shape_calculation_mode': 'sizes', 'coordinate_transformation_mode': coordinate, **rest, **more}

    xs = (1, 2, 4, 5)
    x = pattern(xs, 10)
    for size in [[7, 9], [3, 2], [1, 10]]:
        def case(name, a, y):
            add(f'Interpolate: {name} to {size}', 'Interpolate', a, [(xs, 10), size, [1, 1], [2, 3]], y, opset='opset4')

        case('nearest', attributes('nearest', 'asymmetric'), F.interpolate(x, size, mode='nearest'))
        case('linear', attributes('linear_onnx', 'half_pixel'), F.interpolate(x, size, mode='bilinear', align_corners=False))
        case('linear aligned', attributes('linear_onnx', 'align_corners'), F.interpolate(x, size, mode='bilinear', align_corners=True))
        case('cubic', attributes('cubic', 'half_pixel'), F.interpolate(x, size, mode='bicubic', align_corners=False))
        case('cubic aligned', attributes('cubic', 'align_corners'), F.interpolate(x, size, mode='bicubic', align_corners=True))
    y = F.interpolate(x, [2, 3], mode='bilinear', align_corners=False, antialias=True)
    case_inputs = [(xs, 10), [2, 3], [1, 1], [2, 3]]
    add('Interpolate: antialiased', 'Interpolate', attributes('linear', 'half_pixel', antialias=True), case_inputs, y, opset='opset4')


def normalization():
    xs = (2, 3, 2, 3)
    x = pattern(xs, 11)
    y = F.layer_norm(x, [2, 3], eps=1e-5)
    add('MVN-6: last two axes', 'MVN', {'normalize_variance': True, 'eps': 1e-5, 'eps_mode': 'INSIDE_SQRT'}, [(xs, 11), [2, 3]], y, opset='opset6')
    y = F.instance_norm(x, eps=1e-3)
    add('MVN-2: spatial', 'MVN', {'across_channels': False, 'normalize_variance': True, 'eps': 1e-3}, [(xs, 11)], y, opset='opset2')
    xs = (1, 6, 2, 2)
    y = F.local_response_norm(pattern(xs, 16), 3, alpha=0.5, beta=0.75, k=1.5)
    add('LRN: channels', 'LRN', {'alpha': 0.5, 'beta': 0.75, 'bias': 1.5, 'size': 3}, [(xs, 16), [1]], y)
    y = F.normalize(pattern(xs, 16), dim=1, eps=0)
    add('NormalizeL2: channels', 'NormalizeL2', {'eps': 0, 'eps_mode': 'add'}, [(xs, 16), [1]], y)


def activations():
    xs = (2, 3, 4)
    x = pattern(xs, 17)
    for op, opset, attributes, y in [
        ('ReLU', None, {}, F.relu(x)),
        ('Sigmoid', None, {}, torch.sigmoid(x)),
        ('Tanh', None, {}, torch.tanh(x)),
        ('Elu', None, {'alpha': 0.7}, F.elu(x, 0.7)),
        ('Gelu', 'opset7', {'approximation_mode': 'ERF'}, F.gelu(x)),
        ('Gelu', 'opset7', {'approximation_mode': 'tanh'}, F.gelu(x, approximate='tanh')),
        ('HSwish', None, {}, F.hardswish(x)),
        ('HSigmoid', None, {}, F.hardsigmoid(x)),
        ('Swish', None, {}, F.silu(x)),
        ('SoftPlus', None, {}, F.softplus(x)),
        ('SoftSign', None, {}, F.softsign(x)),
        ('Mish', None, {}, F.mish(x)),
        ('SoftMax', 'opset1', {'axis': 1}, F.softmax(x, 1)),
        ('SoftMax', 'opset8', {'axis': -1}, F.softmax(x, -1)),
        ('LogSoftmax', None, {'axis': 2}, F.log_softmax(x, 2)),
        ('Clamp', None, {'min': -0.5, 'max': 1.25}, x.clamp(-0.5, 1.25)),
        ('Erf', None, {}, torch.erf(x)),
        ('Exp', None, {}, torch.exp(x)),
        ('Round', None, {'mode': 'half_to_even'}, torch.round(x)),
    ]:
        add(f'{op}: {attributes}', op, attributes, [(xs, 17)], y, opset=opset)
    functions = ['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cos', 'Cosh', 'Floor', 'Log', 'Sin', 'Sinh', 'Sqrt', 'Tan']
    for op in functions:
        add(op, op, {}, [(xs, 17)], getattr(torch, op.lower())(x))
    add('Ceiling', 'Ceiling', {}, [(xs, 17)], torch.ceil(x))
    add('Negative', 'Negative', {}, [(xs, 17)], -x)


def products_and_reductions():
    for name, a, b, ta, tb in [
        ('matrices', (3, 4), (4, 2), False, False),
        ('transposed right', (3, 4), (5, 4), False, True),
        ('transposed left', (4, 3), (4, 2), True, False),
        ('stacks', (2, 1, 3, 4), (3, 4, 2), False, False),
    ]:
        x, y = pattern(a, 18), pattern(b, 19)
        z = (x.mT if ta else x) @ (y.mT if tb else y)
        add(f'MatMul: {name}', 'MatMul', {'transpose_a': ta, 'transpose_b': tb}, [(a, 18), (b, 19)], z)
    xs = (2, 3, 4)
    x = pattern(xs, 20)
    for axes, keep in [([1], False), ([-1, 0], True)]:
        for op, y in [
            ('ReduceSum', x.sum(axes, keep)),
            ('ReduceMean', x.mean(axes, keep)),
            ('ReduceMax', x.amax(axes, keep)),
            ('ReduceMin', x.amin(axes, keep)),
            ('ReduceL1', x.abs().sum(axes, keep)),
            ('ReduceL2', (x * x).sum(axes, keep).sqrt()),
        ]:
            add(f'{op}: axes {axes}', op, {'keep_dims': keep}, [(xs, 20), axes], y)


for build in [convolutions, transposed_convolutions, pooling, padding, resizing, normalization, activations, products_and_reductions]:
    build()

HEAD = """// Operations computed by PyTorch in doubles. Generated by scripts/make-op-fixtures.py. Do not edit.
import type { RecordedCase } from './recorded-case.ts';

export const torchCases: readonly RecordedCase[] = [
"""
out = pathlib.Path(__file__).parent.parent / 'test/conformance/cases/torch.gen.ts'
out.write_text(HEAD + ''.join(f'  {json.dumps(c)},\n' for c in CASES) + '];\n')
print(len(CASES), 'cases', out.stat().st_size, 'bytes')
