#!/usr/bin/env python3
# Writes conformance cases as static graphs: static_cases.py EXPR DATA FAMILY OUTPUT.cpp [CASES_OF_EACH]
# EXPR is the folder of the headers that declare operators.
# DATA is a folder of *.json; without it the source has no cases. What is written is never committed: the
# cases are other people's. An operator without options is found in the headers; another one is a word of
# FAMILIES and a line of OPTIONS. Whatever has no case is an error.
# SPDX-License-Identifier: MIT
import json
import math
import os
import re
import sys

MOST_ELEMENTS = 600  # of all operands: small graphs, and no constants of any size

TYPES = {'float32': 'float', 'float16': 'tn::float16', 'int8': 'std::int8_t', 'uint8': 'std::uint8_t',
         'int32': 'std::int32_t', 'uint32': 'std::uint32_t', 'int64': 'std::int64_t', 'uint64': 'std::uint64_t',
         'int4': 'tn::int4', 'uint4': 'tn::uint4'}


def real(x):
  """A double literal; JSON has infinities and NaN as strings."""
  x = float(x)
  if math.isnan(x):
    return 'std::numeric_limits<double>::quiet_NaN()'
  if math.isinf(x):
    return ('-' if x < 0 else '') + 'std::numeric_limits<double>::infinity()'
  return repr(x)


def short(x):
  return f'static_cast<float>({real(x)})'


def number(x):
  """An any_number: integers keep their digits."""
  if isinstance(x, str) and x.lstrip('-').isdigit():
    x = int(x)
  if isinstance(x, int):
    return f'{x}u' if x > 2**63 - 1 else f'(-{-x - 1} - 1)' if x < 0 else str(x)
  return real(x)


def boolean(x):
  return 'true' if x else 'false'


def whole(x):
  return str(int(x))


def braces(x):
  return '{' + ', '.join(str(int(n)) for n in x) + '}'


def axes(x):
  return braces(x) if x else 'tn::axis_list({})'


def reals(x):
  return '{' + ', '.join(short(n) for n in x) + '}'


def named(kind):
  return lambda x: f'tn::{kind}::{x.replace("-", "_")}'


def activations(x):
  return '{' + ', '.join(map(named('recurrent_activation'), x)) + '}'


def present(operand):
  """An option that says whether the operator has an operand; it is always written."""
  return boolean(isinstance(operand, str))


BIASES = {'bias': present, 'recurrentBias': present}
NET = {'returnSequence': boolean, 'direction': named('recurrent_direction')}
SIZES = {'steps': whole, 'hiddenSize': whole}


# Options in the order of their declarations, each with how it is written.
OPTIONS = {
    'elu': {'alpha': short},
    'leakyRelu': {'alpha': short},
    'hardSigmoid': {'alpha': short, 'beta': short},
    'linear': {'alpha': short, 'beta': short},
    'clamp': {'minValue': number, 'maxValue': number},
    'gemm': {'alpha': short, 'beta': short, 'aTranspose': boolean, 'bTranspose': boolean},
    'conv2d': {'padding': braces, 'strides': braces, 'dilations': braces, 'groups': whole,
               'inputLayout': named('image_layout'), 'filterLayout': named('filter_layout')},
    'convTranspose2d': {'padding': braces, 'strides': braces, 'dilations': braces, 'outputPadding': braces,
                        'outputSizes': braces, 'groups': whole, 'inputLayout': named('image_layout'),
                        'filterLayout': named('transposed_filter_layout')},
    'reduce': {'axes': axes, 'keepDimensions': boolean},
    'pool2d': {'windowDimensions': braces, 'padding': braces, 'strides': braces, 'dilations': braces,
               'layout': named('image_layout'), 'outputShapeRounding': named('rounding'), 'outputSizes': braces},
    'arg': {'keepDimensions': boolean, 'outputDataType': named('type')},
    'slice': {'starts': axes, 'sizes': axes, 'strides': axes},
    'pad': {'beginningPadding': axes, 'endingPadding': axes, 'mode': named('padding_mode'), 'value': number},
    'triangular': {'upper': boolean, 'diagonal': whole},
    'resample2d': {'mode': named('interpolation'), 'scales': reals, 'sizes': axes, 'axes': axes},
    'layerNormalization': {'axes': axes, 'epsilon': short, 'scale': present},
    'batchNormalization': {'axis': whole, 'epsilon': short, 'scale': present},
    'instanceNormalization': {'epsilon': short, 'layout': named('image_layout'), 'scale': present},
    'cumulativeSum': {'axis': whole, 'exclusive': boolean, 'reversed': boolean},
    'gruCell': {**BIASES, 'resetAfter': boolean, 'layout': named('gru_layout'), 'activations': activations,
                'hiddenSize': whole},
    'gru': {**BIASES, 'initialHiddenState': present, 'resetAfter': boolean, **NET, 'layout': named('gru_layout'),
            'activations': activations, **SIZES},
    'lstmCell': {**BIASES, 'peepholeWeight': present, 'layout': named('lstm_layout'), 'activations': activations,
                 'hiddenSize': whole},
    'lstm': {**BIASES, 'peepholeWeight': present, 'initialHiddenState': present, 'initialCellState': present, **NET,
             'layout': named('lstm_layout'), 'activations': activations, **SIZES},
}


def options(kind, given):
  """Designated initializers of what is given; unknown options are a mistake of this program."""
  unknown = set(given) - set(OPTIONS[kind]) - {'label'}
  if unknown:
    raise SystemExit(f'static_cases.py: {kind} has an option that is not known: {unknown}')
  written = [f'.{key} = {how(given.get(key))}' for key, how in OPTIONS[kind].items() if key in given or how is present]
  return f'tn::{kind}_options{{{", ".join(written)}}}'


def plain(op, args, given, operands, shapes):
  return f'tn::{op}({", ".join(operands)})'


def with_options(kind=None):
  def write(op, args, given, operands, shapes):
    own = {k: v for k, v in {**args, **given}.items() if k in OPTIONS[kind or op]}
    return f'tn::{op}<{options(kind or op, own)}>({", ".join(operands)})'
  return write


def with_list(key, default=''):
  def write(op, args, given, operands, shapes):
    items = {**args, **given}.get(key)
    return f'tn::{op}<{default if items is None else ", ".join(map(str, items))}>({operands[0]})'
  return write


def with_axis(op, args, given, operands, shapes):
  axis = {**args, **given}.get('axis', 0)
  return f'tn::{op}<{axis}>({", ".join(operands)})'


def position(op, args, given, operands, shapes):
  return f'tn::{op}<{args["axis"]}, {options("arg", given)}>({operands[0]})'


def cast(op, args, given, operands, shapes):
  return f'tn::cast<{TYPES[args["dataType"]]}>({operands[0]})'


def split(op, args, given, operands, shapes):
  axis, parts = given.get('axis', 0), args['splits']
  if not isinstance(parts, list):
    parts = [shapes[0][axis] // parts] * parts
  return f'tn::split<{", ".join(map(str, [axis, *parts]))}>({operands[0]})'


FAMILIES = {
    'map': {
        with_options(): 'clamp elu hardSigmoid leakyRelu linear',
        cast: 'cast',
    },
    'reduce': {
        with_options('reduce'): 'reduceL1 reduceL2 reduceLogSum reduceLogSumExp reduceMax reduceMean reduceMin '
                                'reduceProduct reduceSum reduceSumSquare',
        position: 'argMax argMin',
    },
    'contract': {
        with_options(): 'conv2d convTranspose2d gemm',
        with_options('pool2d'): 'averagePool2d l2Pool2d maxPool2d',
    },
    'move': {
        with_list('newShape'): 'expand reshape',
        with_list('repetitions'): 'tile',
        with_list('permutation'): 'transpose',
        with_list('axes'): 'reverse',
        with_axis: 'concat gather gatherElements scatterElements',
        with_options(): 'pad slice triangular',
        split: 'split',
    },
    'other': {
        with_axis: 'softmax',
        with_options(): 'batchNormalization cumulativeSum instanceNormalization layerNormalization resample2d',
        plain: 'dequantizeLinear quantizeLinear',
    },
    'recurrent': {
        with_options(): 'gru gruCell lstm lstmCell',
    },
    'plain': {},  # all others
}
# Operators without cases, each with the reason.
WITHOUT_CASES = {
    'attention': 'WebNN has no such operator: its specification expands it',
}


def operand_names(call):
  names = []
  for path in call['operand_args']:
    found = call['arguments']
    for key in path.split('.'):
      found = found[key]
    names += [found] if isinstance(found, str) else found
  return names


def elements(tensor):
  return math.prod(tensor['shape'])


def chosen(cases, most):
  """Small cases of one operator, each with options, types, constants or ranks that those before it have not."""
  fit = [c for c in cases if len(c['operators']) == 1
         and all(x['dataType'] in TYPES for x in [*c['inputs'].values(), *c['expected'].values()])
         and sum(map(elements, [*c['inputs'].values(), *c['expected'].values()])) <= MOST_ELEMENTS]
  picked, seen = [], set()

  def traits(c):
    call = c['operators'][0]
    given = {**call['arguments'].get('options', {}), 'steps': call['arguments'].get('steps')}
    leaves = {(x['dataType'], bool(x.get('constant'))) for x in c['inputs'].values()}
    ranks = {('rank', len(x['shape'])) for x in c['expected'].values()}
    return {(k, str(v)) for k, v in given.items() if k != 'label'} | leaves | ranks | {str(len(call['operand_args']))}

  while fit and len(picked) < most:
    fit.sort(key=lambda c: (-len(traits(c) - seen), 'float16' in c['name'], c['name']))
    best = fit.pop(0)
    seen |= traits(best)
    picked.append(best)
  return picked


def graph(number, op, case, write):
  call = case['operators'][0]
  names = sorted(case['inputs'])
  kinds = {n: TYPES[case['inputs'][n]['dataType']] for n in names}
  shapes = {n: case['inputs'][n]['shape'] for n in names}
  text = lambda n: ', '.join([f'"x{names.index(n)}"', kinds[n], *map(str, shapes[n])])
  used = operand_names(call)
  inputs = [n for n in names if not case['inputs'][n].get('constant')] or used[:1]  # a graph has an input
  handle = lambda n: f'x{names.index(n)}' if n in inputs else f'tn::weight<{text(n)}>'
  args = {k: v for k, v in call['arguments'].items() if k != 'options'}
  given = call['arguments'].get('options', {})
  unread = [k for k, v in {**args, **given}.items() if k != 'label' and v not in names]
  if write is plain and unread:
    raise SystemExit(f'static_cases.py: {op} has options, so FAMILIES and OPTIONS must say them: {unread}')
  applied = write(op, args, given, [handle(n) for n in used], [shapes[n] for n in used])
  if isinstance(call['outputs'], list):
    order = [call['outputs'].index(n) for n in sorted(case['expected'])]
    body = f'auto y = {applied}; return tn::outputs({", ".join(f"conformance::result_of<{i}>(y)" for i in order)});'
  else:
    body = f'return {applied};'
  parameters = ', '.join(f'[[maybe_unused]] auto x{names.index(n)}' for n in inputs)
  leaves = ', '.join(f'tn::input<{text(n)}>' for n in inputs)
  return (f'inline constexpr auto model{number} = []({parameters}) {{ {body} }};\n'
          f'using net{number} = tn::graph<model{number}, {leaves}>;\n')


def operators_of(headers):
  """The operators of FAMILIES, and all others that the headers declare as plain ones."""
  files = [os.path.join(headers, name) for name in sorted(os.listdir(headers)) if name.endswith('.hpp')]
  declared = [op for file in files for op in re.findall(r'^struct (\w+)_t\b', open(file, encoding='utf-8').read(), re.MULTILINE)]
  listed = [op for family in FAMILIES.values() for ops in family.values() for op in ops.split()] + list(WITHOUT_CASES)
  for op in listed:
    if listed.count(op) > 1 or declared.count(op) != 1:
      raise SystemExit(f'static_cases.py: {op} is no operator of {headers}, or stands in several places')
  return {**FAMILIES, 'plain': {plain: ' '.join(op for op in declared if op not in listed)}}


def source(headers, data, family, most):
  graphs, table = [], []
  there = os.path.isdir(data) and any(file.endswith('.json') for file in os.listdir(data))
  for write, ops in operators_of(headers)[family].items():
    for op in ops.split() if there else []:
      file = os.path.join(data, op + '.json')
      if not os.path.exists(file):
        raise SystemExit(f'static_cases.py: {op} has no cases: there is no {file}')
      with open(file, encoding='utf-8') as f:
        cases = json.load(f)['cases']
      before = len(table)
      for case in chosen([c for c in cases if c['operators'][0]['name'] == op], most):
        table.append(f'    entry<net{len(graphs)}>("{op}.json", {json.dumps(case["name"])}),')
        graphs.append(graph(len(graphs), op, case, write))
      if len(table) == before:
        raise SystemExit(f'static_cases.py: no small case of {op}')
  lines = ['// Made by static_cases.py. SPDX-License-Identifier: MIT', '#include "static_case.hpp"', 'namespace tn = tenon;',
           'namespace {', *graphs]
  if table:
    lines += ['using conformance::entry;', 'constexpr conformance::static_case all[] = {', *table, '};']
  lines += ['}', 'namespace conformance {', f'extern const static_cases {family}_cases;',
            f'const static_cases {family}_cases = ' + (f'{{all, {len(table)}}};' if table else '{nullptr, 0};'), '}', '']
  return '\n'.join(lines)


if __name__ == '__main__':
  headers, folder, kind, output = sys.argv[1:5]
  text = source(headers, folder, kind, int(sys.argv[5]) if len(sys.argv) > 5 else 1)
  with open(output, 'w', encoding='utf-8') as f:
    f.write(text)
