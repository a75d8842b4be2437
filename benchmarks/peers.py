# Gets ready what `tools/bench models --peers DIR` races against: ONNX Runtime, and the models that
# DIR/gen_models.py writes:  /usr/bin/python3 peers.py DIR OUT  (Debian's python, which has onnx)
# Leaves OUT/node_modules, OUT/models and the constant matrices of the products as OUT/models/*.w.
# SPDX-License-Identifier: MIT
import os
import pathlib
import shutil
import subprocess
import sys

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


def write_models(generator, out):
    done = out / 'models' / 'complete'
    if done.exists() and done.stat().st_mtime > generator.stat().st_mtime:
        return
    subprocess.run([sys.executable, generator, out / 'models'], check=True, stdout=sys.stderr)
    import onnx
    from onnx import numpy_helper
    for n in (64, 128, 256, 512, 1024):
        model = onnx.load(out / 'models' / f'gemm{n}.onnx')
        (b,) = model.graph.initializer
        numpy_helper.to_array(b).tofile(out / 'models' / f'gemm{n}.w')
    write_identity(out / 'models' / 'identity.onnx')
    done.touch()


def main():
    source, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if not (source / 'gen_models.py').is_file():
        sys.exit(f'peers: there is no gen_models.py in {source}')
    (out / 'io').mkdir(parents=True, exist_ok=True)
    install_packages()
    install_runtime(out)
    write_models(source / 'gen_models.py', out)


main()
