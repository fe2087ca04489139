# Two commands do everything on a fresh clone that has only python3 and make:
#   make discogan    edges turn into shoes, within ten minutes on two CPU cores
#   make test        the fast tests, 4 minutes (make test-slow, make test-jax: the rest)
# and so does
#   make cyclegan    apples turn into oranges and back, without partners
PYTHON ?= python3
BIN := .venv/bin
PYTEST := -m pytest -n 2 --dist worksteal --durations 10

.PHONY: discogan cyclegan test test-slow test-jax test-jax-slow test-lowest test-cluster lint notebooks docs benchmark clean

discogan: .venv/installed
	$(BIN)/python -m keras_gan.discogan --quick --dataset drawn_shoes --seed 0

cyclegan: .venv/installed
	$(BIN)/python -m keras_gan.cyclegan --quick --dataset drawn_fruit --seed 0

test: .venv/installed-test
	$(BIN)/python $(PYTEST) -m "not slow"

# Three at a time on two cores: many wait for the processes that they start
test-slow: .venv/installed-test
	$(BIN)/python $(PYTEST) -n 3 -m slow

# The models on JAX as where there is no TensorFlow, which is hidden; then each backend against the other. Comparisons
# compile much and compute little: without optimisations they take half the time.
FAST_TO_COMPILE := XLA_FLAGS=--xla_backend_optimization_level=0
WITHOUT_TENSORFLOW := PYTHONPATH=tests/support/without_tensorflow
# Of the model table what differs between backends; the rest is Keras'
ON_JAX := five_fused or update_moves or traced_once or not test_models
test-jax: export KERAS_BACKEND := jax
test-jax: .venv/installed-test
	$(WITHOUT_TENSORFLOW) $(BIN)/python $(PYTEST) -m "not slow" tests/models/test_golden.py tests/backend/test_jax_alone.py \
		tests/models/test_real_sizes.py
	$(WITHOUT_TENSORFLOW) $(FAST_TO_COMPILE) $(BIN)/python $(PYTEST) -m "not slow" -k "$(ON_JAX)" \
		tests/models/test_models.py tests/models/test_accumulate.py tests/models/test_remat.py \
		tests/layers/test_layers.py tests/training/test_recompiling.py \
		tests/training/test_figures.py tests/training/test_averages.py tests/backend/test_start.py \
		tests/backend/test_deterministic.py
	$(FAST_TO_COMPILE) $(BIN)/python $(PYTEST) -m "not slow" tests/backend/test_backends.py tests/backend/test_devices.py \
		tests/backend/test_hosts_with_own_shards.py

# What takes longest of it: CycleGAN's ResNets, compared the same way, and kills of hosts with their own shards
test-jax-slow: .venv/installed-test
	KERAS_BACKEND=jax $(FAST_TO_COMPILE) $(BIN)/python $(PYTEST) -m slow tests/backend/test_backends.py tests/backend/test_devices.py \
		tests/backend/test_hosts_with_own_shards.py

# Translating and evaluating on Ray, which the other tests do without: 400 MB more, and minutes of starting clusters
test-cluster: .venv/installed-test
	$(BIN)/python -m pip install --quiet --editable ".[cluster]" "moto[server]" s3fs
	$(BIN)/python $(PYTEST) -n 0 -m slow tests/use/test_on_ray.py tests/use/test_object_store.py

# What the lower bounds of setup.cfg could break, with these: opening networks, layers, loading data, the demo. The two
# that are left out are computed otherwise by Keras 3.12
LOWEST := tests/layers/test_trusted.py tests/layers/test_layers.py tests/layers/test_contrib.py \
	tests/layers/test_old_files.py tests/use/test_generators.py tests/demo/test_hostile.py tests/data/test_data_loader.py
OTHERWISE := test_hard_sigmoid or padding]
test-lowest: .venv-lowest/installed
	.venv-lowest/bin/python -m pytest -m "not slow" -k 'not ($(OTHERWISE))' $(LOWEST)

.venv-lowest/installed: setup.cfg tests/support/lowest.py
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python tests/support/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --constraint .venv-lowest/lowest.txt --editable ".[demo]" \
		pytest pytest-timeout
	touch $@

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Runs the notebooks and keeps what they show; some: make notebooks NAMES="dcgan cgan"
notebooks: .venv/installed-test
	$(BIN)/python notebooks/run.py $(NAMES)

# The documentation site, in docs/_build/html; a broken link or reference fails
docs: .venv/installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

# A part of it, or with its results saved: make benchmark OPTIONS="--settings discogan-1 --save"
benchmark: .venv/installed
	$(BIN)/python benchmarks/environments.py
	$(BIN)/python benchmarks/speed.py $(OPTIONS)

clean:
	rm -rf .venv .venv-benchmark .venv-lowest .compiled docs/_build docs/repository build dist *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-test: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ .venv/installed

.venv/installed-docs: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@ .venv/installed
