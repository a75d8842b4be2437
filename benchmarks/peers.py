# Gets ready what `tools/bench models --peers DIR` races against: ONNX Runtime, and the models that
# DIR/gen_models.py writes:  /usr/bin/python3 peers.py DIR OUT  (Debian's python, which has onnx)
# Leaves OUT/node_modules, OUT/models and the weights of every model that we race as OUT/models/*.w.
# SPDX-License-Identifier: MIT
import os
import pathlib
import shutil
import subprocess
import sys

# Models whose weights the generator keeps to itself.
UNWRITTEN = ['gemm64', 'gemm128', 'gemm256', 'gemm512', 'gemm1024', 'bert12']
PACKAGES = {'nodejs': 'node', 'npm': 'npm', 'python3-numpy': None, 'python3-onnx': None}


def installed(package):
    query = ['dpkg-query', '-W', '-f', '${db:Status-Status}', package]
    return subprocess.run(query, capture_output=True, text=True).stdout == 'installed'


def install_packages():
    missing = [p for p, tool in PACKAGES.items()
               if not (tool and shutil.which(tool)) and not installed(p)]
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit('peers: as root, please: apt-get install ' + ' '.join(missing))
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    for command in (['update', '-q'], ['install', '-q', '-y', '--no-install-recommends', *missing]):
        subprocess.run(['apt-get', *command], check=True, env=environment, stdout=sys.stderr)


def install_runtime(out):
    if not (out / 'node_modules' / 'onnxruntime-node').is_dir():
        subprocess.run(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund',
                        '--prefix', out, 'onnxruntime-node'], check=True, stdout=sys.stderr)


def write_identity(path):
    """A model that does nothing: what a call costs."""
    import onnx
    from onnx import helper, TensorProto
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in ('x', 'y')]
    graph = helper.make_graph([helper.make_node('Identity', ['x'], ['y'])], 'identity',
                              value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    onnx.save(model, path)


def write_weights(model, path):
    """A model's float tensors, without single numbers; they stand there in the order of first use."""
    import onnx
    from onnx import numpy_helper
    with open(path, 'wb') as file:
        for tensor in onnx.load(model).graph.initializer:
            values = numpy_helper.to_array(tensor)
            if tensor.data_type == onnx.TensorProto.FLOAT and values.size > 1:
                values.tofile(file)


def write_models(generator, out):
    models = out / 'models'
    done = models / 'complete'
    if not done.exists() or done.stat().st_mtime <= generator.stat().st_mtime:
        subprocess.run([sys.executable, generator, models], check=True, stdout=sys.stderr)
        write_identity(models / 'identity.onnx')
        for name in UNWRITTEN:
            (models / f'{name}.w').unlink(missing_ok=True)
        done.touch()
    for name in UNWRITTEN:
        weights = models / f'{name}.w'
        if not weights.exists():
            partial = weights.with_suffix('.part')
            write_weights(models / f'{name}.onnx', partial)
            partial.rename(weights)


def main():
    source, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if not (source / 'gen_models.py').is_file():
        sys.exit(f'peers: there is no gen_models.py in {source}')
    (out / 'io').mkdir(parents=True, exist_ok=True)
    install_packages()
    install_runtime(out)
    write_models(source / 'gen_models.py', out)


main()
