# Recurrent Neural Networks, Executed. `make help` lists what there is to type.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed
EXTRAS := book,lab,grading,test
# Versions the course depends on: the character model reads this NumPy's docstrings; from 4.25 on, jsonschema parses a
# grammar whenever anything imports nbformat, which takes one to two seconds; soupsieve 4 refuses Debian 12's Python.
HELD := numpy==2.4.6 torch==2.13.0 jsonschema==4.24.1 soupsieve==2.10
PORT ?= 8000
# Test files run side by side, in the order of pyproject.toml's testpaths, notebooks first: a long one that began last
# would run alone.
JOBS ?= 3

# Two notebooks run at once; more BLAS threads would only make them wait for each other.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
# Keep memory that was freed: handing it back at every step and asking for it again costs up to a quarter of the time.
export MALLOC_TRIM_THRESHOLD_ ?= 268435456
export MALLOC_MMAP_THRESHOLD_ ?= 268435456
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help book test lab serve notebooks exercises lint proof bench zip constraints clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

# The stamp exists only while the environment is whole: an interrupted install starts again from nothing.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "expected Python 3.11 to 3.13, got %d.%d; name another: make PYTHON=python3.12 book" % v)'
	@echo "Installing the environment in .venv: a few minutes."
	@if [ -e $@ ]; then rm $@; else $(PYTHON) -m venv --clear .venv; fi
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

book: $(READY) ## execute every chapter and build the book at _build/html/index.html
	@$(BIN)/python -m rnncourse.book build

test: book ## run every test: units, notebooks, exercises, the built pages
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder

lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/chapters \
	  --LabApp.news_url= --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

serve: book ## serve the built book at http://localhost:8000 (PORT=… to change)
	$(BIN)/python -m http.server --bind localhost --directory _build/html $(PORT)

notebooks: $(READY) ## execute the chapters and rewrite them in their normal form
	@$(BIN)/python -m rnncourse.book normalize

exercises: $(READY) ## regenerate exercises/ from solutions/
	@$(BIN)/python -m rnncourse.grading release

lint: $(READY) ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

proof: $(READY) ## prove at length: properties over many seeds, mutants, a killed grader; about 40 minutes
	$(BIN)/python benchmarks/proof.py
	$(BIN)/python benchmarks/mutation.py
	$(BIN)/python benchmarks/references.py
	for name in patient interruptions; do \
	  $(BIN)/python benchmarks/$$name.py > benchmarks/.$$name.draft && mv benchmarks/.$$name.draft benchmarks/$$name.txt || exit 1; done

bench: $(READY) ## measure speed beside torch, memory, scaling, grading; half an hour, on a machine that does nothing else
	for name in recurrent where scaling memory imports grading classroom; do \
	  $(BIN)/python benchmarks/$$name.py > benchmarks/.$$name.draft && mv benchmarks/.$$name.draft benchmarks/$$name.txt || exit 1; done

zip: book ## pack the built book into _build/rnncourse-book-VERSION.zip
	@$(BIN)/python -m rnncourse.book zip

constraints: ## renew constraints.txt from a fresh resolve of pyproject.toml
	$(PYTHON) -m venv --clear _build/resolve
	_build/resolve/bin/pip install --quiet $(HELD) --editable '.[$(EXTRAS)]'
	@{ echo '# The full closure of pyproject.toml, renewed by `make constraints`.'; \
	   echo '# Left to their parents: what only Windows or macOS installs, and the CUDA libraries torch itself pins.'; \
	   _build/resolve/bin/pip freeze --all --exclude-editable --exclude pip --exclude rnncourse \
	   | sed -e 's/+.*//' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton==/d'; } > _build/constraints.txt
	@mv _build/constraints.txt constraints.txt
	@rm -rf _build/resolve

clean: ## remove what was built and executed; the environment stays
	rm -rf _build
