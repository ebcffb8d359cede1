/**
 * Every error code of lowp: its meaning for people and the exit code of the command line.
 *
 * Exit codes: 1 internal, 2 usage or config, 3 model invalid, 4 model valid but not supported, 5 dataset,
 * 6 quality gate failed, 7 limit reached, 8 file input/output, 130 interrupted.
 */
export interface CodeEntry {
  readonly exit: number;
  readonly meaning: string;
}

export const codes = {
  ERR_INTERNAL: { exit: 1, meaning: 'A defect in lowp. Please report it with the message.' },

  ERR_CLI_USAGE: { exit: 2, meaning: 'The command line is not understood.' },
  ERR_CONFIG_INVALID: { exit: 2, meaning: 'An option or a configuration value is not valid.' },

  ERR_IR_SYNTAX: { exit: 3, meaning: 'The IR .xml is not well-formed XML of the IR grammar.' },
  ERR_IR_DTD: { exit: 3, meaning: 'The IR .xml contains a DOCTYPE; it is refused because entities can be abused.' },
  ERR_IR_VERSION: { exit: 4, meaning: 'The IR version is not 10 or 11.' },
  ERR_IR_EDGE: { exit: 3, meaning: 'An edge of the IR names a layer or a port that does not exist, or a port twice.' },
  ERR_IR_WEIGHTS_RANGE: { exit: 3, meaning: 'A constant of the IR lies outside the .bin file.' },
  ERR_IR_CONST_SIZE: { exit: 3, meaning: 'The byte size of a constant does not match its shape and type.' },
  ERR_IR_ATTRIBUTE: { exit: 3, meaning: 'An attribute of an IR layer has a value that cannot be read.' },

  ERR_ONNX_SYNTAX: { exit: 3, meaning: 'The file is not a valid ONNX protobuf message.' },
  ERR_ONNX_OPSET: { exit: 4, meaning: 'The ONNX opset is outside the supported range.' },
  ERR_ONNX_TENSOR: { exit: 3, meaning: 'An ONNX initializer does not match its declared shape or type.' },
  ERR_ONNX_GRAPH: {
    exit: 3,
    meaning: 'The ONNX graph is inconsistent: a name is missing, defined twice or used before it exists.',
  },
  ERR_ONNX_EXTERNAL_DATA: {
    exit: 3,
    meaning: 'External data of an ONNX tensor is missing, too short or outside the model folder.',
  },
  ERR_ONNX_UNSUPPORTED: { exit: 4, meaning: 'The ONNX model uses something that lowp cannot read yet.' },

  ERR_FORMAT_UNKNOWN: { exit: 3, meaning: 'The file is neither an OpenVINO IR nor an ONNX model.' },
  ERR_FORMAT_EMPTY: { exit: 3, meaning: 'The model file is empty.' },
  ERR_FORMAT_UNSUPPORTED: { exit: 4, meaning: 'The model cannot be written in the wanted format.' },

  ERR_GRAPH_CYCLE: { exit: 3, meaning: 'The nodes of the model form a cycle.' },
  ERR_GRAPH_INVALID: { exit: 3, meaning: 'The model is inconsistent.' },
  ERR_GRAPH_NAME: { exit: 2, meaning: 'Nothing in the model has the given name or type, or fits the given pattern.' },

  ERR_OP_DEFINITION: {
    exit: 2,
    meaning:
      'The definition of a registered operation lacks something, or its functions throw or give what they must not.',
  },
  ERR_OP_UNKNOWN: { exit: 4, meaning: 'The model contains an operation type that lowp does not know.' },
  ERR_OP_ATTRIBUTE: { exit: 3, meaning: 'An attribute of an operation is missing or not valid.' },
  ERR_OP_INPUTS: { exit: 3, meaning: 'An operation has too few or too many inputs.' },
  ERR_OP_UNSUPPORTED: { exit: 4, meaning: 'The operation is known, but not this form of it.' },

  ERR_SHAPE_MISMATCH: { exit: 3, meaning: 'Shapes do not fit together.' },
  ERR_SHAPE_OVERFLOW: { exit: 3, meaning: 'A shape is too large to be addressed.' },
  ERR_SHAPE_RANK: { exit: 3, meaning: 'A tensor has a rank that the operation does not accept.' },
  ERR_SHAPE_DYNAMIC: { exit: 4, meaning: 'A dimension is dynamic where a number is needed; give a shape.' },
  ERR_TYPE_MISMATCH: { exit: 3, meaning: 'An element type does not fit.' },
  ERR_TYPE_UNSUPPORTED: { exit: 4, meaning: 'An element type is not supported here.' },

  ERR_DATA_EMPTY: { exit: 5, meaning: 'The dataset has no samples.' },
  ERR_DATA_SHAPE: { exit: 5, meaning: 'A sample has another shape than the model input.' },
  ERR_DATA_TYPE: { exit: 5, meaning: 'A sample has another element type than the model input, or no known one.' },
  ERR_DATA_INPUT: { exit: 5, meaning: 'A sample lacks an input of the model, or names one that does not exist.' },
  ERR_DATA_NOT_FINITE: { exit: 5, meaning: 'A sample contains NaN or infinity.' },
  ERR_DATA_LABELS: { exit: 5, meaning: 'The labels do not fit the samples.' },
  ERR_DATA_FORMAT: { exit: 5, meaning: 'A data file cannot be read.' },
  ERR_STATISTICS_INVALID: { exit: 5, meaning: 'A statistics file cannot be read.' },
  ERR_STATISTICS_MISMATCH: { exit: 5, meaning: 'Statistics were collected with another model or other samples.' },
  ERR_DATA_IMAGES: { exit: 5, meaning: 'Images cannot be decoded; the optional package sharp may be missing.' },

  ERR_TARGET_UNKNOWN: { exit: 2, meaning: 'The target device is not known.' },
  ERR_ALGO_UNSUPPORTED: { exit: 4, meaning: 'The quantization algorithm or option is not supported.' },
  ERR_ALGO_WEIGHTS_NOT_FINITE: { exit: 3, meaning: 'Weights contain NaN or infinity.' },
  ERR_ALGO_ALREADY_QUANTIZED: { exit: 2, meaning: 'The model is quantized already.' },
  ERR_ALGO_NOTHING_QUANTIZED: { exit: 4, meaning: 'No operation of the model could be quantized.' },
  ERR_METRIC_UNKNOWN: { exit: 2, meaning: 'The metric is not known.' },

  ERR_PROGRAM_INVALID: { exit: 1, meaning: 'A serialized program is malformed.' },
  ERR_NATIVE_MISSING: { exit: 1, meaning: 'The native addon could not be loaded.' },
  ERR_NATIVE_UNSUPPORTED: { exit: 4, meaning: 'The native runtime cannot execute this.' },
  ERR_NATIVE_MEMORY: { exit: 7, meaning: 'The native runtime could not allocate memory.' },
  ERR_RUN_CLOSED: { exit: 1, meaning: 'The session is closed.' },
  ERR_RUN_INPUT: { exit: 2, meaning: 'A fed tensor does not fit the model input.' },
  ERR_LIMIT_SIZE: { exit: 7, meaning: 'A limit on size was reached.' },

  ERR_IO_NOT_FOUND: { exit: 8, meaning: 'A file does not exist.' },
  ERR_IO_READ: { exit: 8, meaning: 'A file cannot be read.' },
  ERR_IO_WRITE: { exit: 8, meaning: 'A file cannot be written.' },

  ERR_ABORTED: { exit: 130, meaning: 'The work was interrupted.' },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof codes;
