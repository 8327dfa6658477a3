"""Runs the component in Wasmtime: `python run.py <file> <arguments>`. WASI 0.2 with HTTP, and the environment."""

import os
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

engine = Engine()
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
store = Store(engine)
wasi = WasiConfig()
wasi.argv = sys.argv[1:]
wasi.env = os.environ.items()
wasi.inherit_stdout()
wasi.inherit_stderr()
store.set_wasi(wasi)
store.set_wasi_http()
instance = linker.instantiate(store, Component.from_file(engine, sys.argv[1]))
interface = instance.get_export_index(store, "wasi:cli/run@0.2.12")
run = instance.get_func(store, instance.get_export_index(store, "run", interface))
run(store)
