"""
Write the stubs beside this file from the wheels on PyPI: ``python extract.py``.

Needs Python 3.11 or 3.12 (all four wheels exist for them), a C compiler, and from pip numpy,
pybind11-stubgen and cuda-pathfinder.

TensorRT's libraries are not installed. Its bindings take nine functions from them, all of which
make objects; nine empty ones let the module register its classes, and what it registers is
written down: names and signatures as Python sees them. What the functions do, and that they do
it, cannot be seen this way.
"""

from __future__ import annotations

import ast
import ctypes
from importlib import import_module
from importlib import metadata
import os
from pathlib import Path
import re
import subprocess
import sys
import tempfile
import zipfile

HERE = Path(__file__).resolve().parent
WHEELS = {  # folder of the stubs: what pip downloads
    'tensorrt-10.3': 'tensorrt-cu12-bindings==10.3.0',
    'tensorrt-11': 'tensorrt-cu13-bindings',
    'cuda-12.6': 'cuda-python==12.6.*',
    'cuda-13': 'cuda-bindings',
}
FOREIGN = (
    'createInferBuilder_INTERNAL', 'createInferRefitter_INTERNAL', 'createInferRuntime_INTERNAL',
    'createNvOnnxParserRefitter_INTERNAL', 'createNvOnnxParser_INTERNAL',
    'getBuilderPluginRegistry', 'getNvOnnxParserVersion', 'getPluginRegistry',
    'initLibNvInferPlugins')
CLASSES = (
    'Builder', 'BuilderFlag', 'DataType', 'Dims', 'EngineInspector',
    'ExecutionContextAllocationStrategy', 'HardwareCompatibilityLevel', 'IBuilderConfig',
    'ICudaEngine', 'IExecutionContext', 'IHostMemory', 'ILogger', 'INetworkDefinition',
    'IOptimizationProfile', 'IProgressMonitor', 'ITensor', 'ITimingCache',
    'LayerInformationFormat', 'MemoryPoolType', 'NetworkDefinitionCreationFlag', 'OnnxParser',
    'ParserError', 'ProfilingVerbosity', 'Runtime', 'TensorIOMode', 'TensorLocation')
CUDA_CLASSES = ('cudaDeviceProp',)
CUDA_ENUMS = ('cudaError_t', 'cudaMemcpyKind', 'cudaStreamCaptureMode')
CUDA_FUNCTIONS = (
    'cudaDriverGetVersion', 'cudaFree', 'cudaFreeHost', 'cudaGetDevice', 'cudaGetDeviceCount',
    'cudaGetDeviceProperties', 'cudaGetErrorString', 'cudaGraphDestroy', 'cudaGraphExecDestroy',
    'cudaGraphInstantiate', 'cudaGraphLaunch', 'cudaMalloc', 'cudaMallocHost', 'cudaMemGetInfo',
    'cudaMemcpy2DAsync', 'cudaMemcpyAsync', 'cudaMemsetAsync', 'cudaRuntimeGetVersion',
    'cudaStreamBeginCapture', 'cudaStreamCreateWithFlags', 'cudaStreamDestroy',
    'cudaStreamEndCapture', 'cudaStreamSynchronize')
CUDA_CONSTANTS = ('cudaStreamNonBlocking',)
SIMPLER = {'SupportsInt': 'int', 'SupportsFloat': 'float'}


class Reduce(ast.NodeTransformer):
    """Drop docstrings, private members and layers; name no class that is not kept."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        body = [item for item in node.body if not self._is_dropped(item)]
        node.body = [self.visit(item) for item in body] or [ast.Expr(ast.Constant(...))]
        node.bases = [self.visit(base) for base in node.bases]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = [ast.Expr(ast.Constant(...))]
        node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = self.visit(node.annotation)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.attr in SIMPLER:
            return ast.Name(SIMPLER[node.attr])
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = {*CLASSES, 'typing', 'collections', 'property', 'str', 'int', 'bool', 'float',
                 'bytes', 'list', 'tuple', 'None', 'Severity', 'typing_extensions'}
        return node if node.id in known or node.id[0].islower() else ast.Name('typing.Any')

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return node if node.value is not ... else ast.Name('typing.Any')

    @staticmethod
    def _is_dropped(item: ast.stmt) -> bool:
        if isinstance(item, ast.FunctionDef):
            private = item.name.startswith('_') and item.name not in (
                '__init__', '__len__', '__getitem__', '__int__')
            return private or bool(re.match('add_(?!optimization_profile)', item.name))
        name = getattr(getattr(item, 'target', None), 'id', '')
        return isinstance(item, ast.Expr) or name.startswith('_')


def tensorrt_stub(wheel: Path, version: str) -> str:
    """Import the bindings of an unpacked wheel and return the stub of the kept classes."""
    major = version.partition('.')[0]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, 'empty.c')
        source.write_text(''.join(f'void *{name}(void) {{ return 0; }}\n' for name in FOREIGN))
        for name in ('nvinfer', 'nvinfer_plugin', 'nvonnxparser'):
            library = f'lib{name}.so.{major}'
            subprocess.run(['cc', '-shared', str(source), '-o', f'{folder}/{library}',
                            f'-Wl,-soname,{library}'], check=True)
            ctypes.CDLL(f'{folder}/{library}', mode=os.RTLD_LAZY | os.RTLD_GLOBAL)
        sys.path.insert(0, str(wheel))
        from pybind11_stubgen import main
        main(['tensorrt_bindings.tensorrt', '--output-dir', folder, '--ignore-all-errors'])
        text = Path(folder, 'tensorrt_bindings', 'tensorrt.pyi').read_text()
    blocks = {re.match(r'class (\w+)', block)[1]: block
              for block in re.split(r'(?m)^(?=class )', text)[1:]}
    kept = ''.join(re.sub(r'(?m)^    def add_scale_nd.*\n(?:     .*\n)*', '', blocks[name])
                   for name in CLASSES)
    module = Reduce().visit(ast.parse(kept))
    return ('import collections.abc\nimport typing\nimport typing_extensions\n\n'
            f'__version__: str\n\n{_compact(ast.unparse(ast.fix_missing_locations(module)))}\n')


def _compact(stub: str) -> str:
    return re.sub(r':\n +\.\.\.\n*', ': ...\n', stub)


def cuda_stub(wheel: Path) -> str:
    """Import the bindings of an unpacked wheel and return the stub of the kept names."""
    sys.path.insert(0, str(wheel))
    runtime = import_module('cuda.bindings.runtime')
    lines = ['import enum', 'from typing import Any', '']
    lines += [f'{name}: int' for name in CUDA_CONSTANTS if isinstance(getattr(runtime, name), int)]
    for name in CUDA_ENUMS:
        lines += [f'class {name}(enum.IntEnum):']
        lines += [f'    {member} = {int(value)}'
                  for member, value in getattr(runtime, name).__members__.items()]
    for name in CUDA_CLASSES:
        lines += [f'class {name}:']
        lines += [f'    {member}: Any' for member in dir(getattr(runtime, name))
                  if not member.startswith('_')]
    for name in CUDA_FUNCTIONS:
        signature = getattr(runtime, name).__doc__.splitlines()[0]
        arguments = signature.partition('(')[2].rpartition(')')[0].split(', ')
        parameters = [_parameter(argument) for argument in arguments if argument]
        lines += [f'def {name}({", ".join(parameters)}) -> tuple[Any, ...]: ...']
    return '\n'.join(lines) + '\n'


def _parameter(argument: str) -> str:
    """Turn ``size_t count``, ``kind: cudaMemcpyKind`` or ``stream`` into a Python parameter."""
    name, _, kind = argument.partition(': ')
    words = name.split()
    return f'{words[-1]}: {kind or ("int" if len(words) > 1 else "Any")}'


def write_stub(folder: Path, wheel: Path) -> None:
    """Write the stub of one wheel; in a process of its own, since it imports the wheel."""
    (info,) = wheel.glob('*.dist-info')
    distribution = metadata.Distribution.at(info)
    head = f'# From {distribution.metadata["Name"]} {distribution.version} by extract.py.\n'
    if folder.name.startswith('tensorrt'):
        path, text = folder / 'tensorrt.pyi', tensorrt_stub(wheel, distribution.version)
    else:
        path, text = folder / 'cuda' / 'bindings' / 'runtime.pyi', cuda_stub(wheel)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + text)


def main() -> None:
    """Download the wheels and write all stubs."""
    for name, requirement in WHEELS.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps',
                            '--only-binary=:all:', '--dest', folder, requirement], check=True)
            (wheel,) = Path(folder).glob('*.whl')
            zipfile.ZipFile(wheel).extractall(Path(folder, 'wheel'))
            subprocess.run([sys.executable, __file__, name, f'{folder}/wheel'], check=True)


if __name__ == '__main__':
    if len(sys.argv) > 1:
        write_stub(HERE / sys.argv[1], Path(sys.argv[2]))
    else:
        main()
