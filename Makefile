# Each target makes the environment that it needs: Python 3.10 to 3.13 and make suffice, no root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROBOT := .venv-robot

.PHONY: demo test test-robot lint bench venv

# Play the sample bag through the real nodes; see out/demo/report.html.
demo: $(VENV)/.run-time
	$(BIN)/deepsight demo --out out/demo

test: lint
	$(BIN)/python -m pytest

# The run time again, with the NumPy and OpenCV that robots have from apt.
test-robot: $(ROBOT)/.installed
	$(ROBOT)/bin/python -m pytest test/geometry test/engines test/perception test/evaluation \
		test/ros test/test_resources.py test/test_cli.py

lint: venv
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(VENV)/.run-time
	mkdir -p out
	$(BIN)/deepsight bench --json out/bench.json

# Everything that tests and training need.
venv: $(VENV)/.everything

$(VENV)/.everything: $(VENV)/.run-time training/pyproject.toml
	$(BIN)/python -m pip install --editable '.[ros,test]' --editable ./training
	@touch $@

# Run time and real ROS 2 from PyPI; no torch.
$(VENV)/.run-time: $(VENV)/pyvenv.cfg setup.py
	$(BIN)/python -m pip install --editable '.[ros]'
	@touch $@

$(ROBOT)/.installed: $(ROBOT)/pyvenv.cfg setup.py constraints-robot.txt
	$(ROBOT)/bin/python -m pip install --constraint constraints-robot.txt --editable '.[ros]' \
		hypothesis onnx pytest
	@touch $@

%/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; (3, 10) <= sys.version_info[:2] <= (3, 13) or sys.exit("make: ROS 2 \
	from PyPI needs Python 3.10 to 3.13, $(PYTHON) is %s; say make PYTHON=python3.12" \
	% sys.version.split()[0])'
	@$(PYTHON) -c 'import ensurepip' || { echo 'make: $(PYTHON) has no venv; install \
	python3-venv, or say make PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv $*
