"""python benchmarks/references.py [FUNCTION]: do the checks notice when a right answer to a problem set is changed?

The known mistakes are those that somebody thought of. This bank is independent of them: mutmut's operators change one
thing at a time (an operator, a number, an argument left out …) in each right answer there is, the model answer, the
reference and the differently written solutions. Every mutant is judged as a student's function would be, on the cases
of several seeds. One that gets full points with any of them survives: it is either a gap in the cases, or it computes
the same, and then references-survivors.toml says why. The script fails if a survivor is not explained there, or an
explanation fits no survivor.

What is left alone: what is inside `len(…)`, defaults that are expressions, docstrings, and `strict=True` of zip, which
students do not write.
"""

import gc
import multiprocessing
import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from difflib import ndiff
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import libcst
import numpy as np
from answers import Program, programs
from libcst.metadata import MetadataWrapper
from mutation import explanations
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode
from versions import made_with

from rnncourse.grading.checks import find, judge, sets
from rnncourse.grading.checks.judge import Sitting
from rnncourse.grading.checks.problem import Problem

HERE = Path(__file__).parent
SEEDS = range(3)
PROCESSES = 2
SECONDS, HARD_LIMIT = 3.0, 30
"""How long a mutant may take with one seed, and what ends one that no longer listens to that."""
REJECTED, SURVIVED = 10, 11
"""How the process ends in which a mutant is judged."""


def mutants(source: str) -> Iterator[str]:
    """The source with one thing changed, for everything that mutmut would change."""
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(libcst.parse_module(source)).visit(visitor)
    for mutation in visitor.mutations:
        yield module.deep_replace(mutation.original_node, mutation.mutated_node).code


def change(source: str, mutant: str) -> str:
    """The lines that a mutant takes out (-) and puts in (+), without their indent."""
    lines = ndiff(source.splitlines(), mutant.splitlines())
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "-+")


def passes(drawn: list[Sitting], source: str, expression: str) -> list[bool]:
    """Whether the function that a source defines gets full points, for each of the sittings."""
    scope: dict[str, Any] = {"__name__": "answer"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, "<answer>", "exec"), scope)
        function = eval(expression, scope)
    except Exception:  # a mutant that cannot even be defined
        return [False for _ in drawn]
    return [sitting.judge(function).points == sitting.problem.points for sitting in drawn]


def survives(drawn: list[Sitting], source: str, expression: str, enough: Callable[[list[bool]], bool] = any) -> bool:
    """Whether a mutant gets full points in any of the sittings, or in `enough` of them.

    It is judged in a process of its own: it may never return, and what it leaves in memory must not be found there by
    the next one's `np.empty`.
    """

    def run() -> None:
        sys.exit(SURVIVED if enough(passes(drawn, source, expression)) else REJECTED)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(HARD_LIMIT)
    process.kill()
    process.join()
    if process.exitcode == 1:
        raise RuntimeError(f"expected a mutant to be judged, got an error; the mutant was\n{source}")
    return process.exitcode == SURVIVED


@lru_cache(maxsize=1)
def sat(name: str) -> list[Sitting]:
    """The `sittings` of the problem called `name`, kept for its next program."""
    gc.freeze()  # a fork that ends would else look at every object there is, and so copy it
    return sittings(find(name))


def sittings(problem: Problem) -> list[Sitting]:
    """The cases of a problem for every seed. Which mistake a mutant looks like is not asked, which takes longest."""
    drawn = [Sitting(replace(problem, mistakes={}), np.random.default_rng(seed)) for seed in SEEDS]
    for sitting in drawn:
        _ = sitting.wanted  # once, not in each process
    return drawn


class Tried(NamedTuple):
    """What became of the mutants of one right answer: how many there are, and what the survivors change."""

    function: str
    answer: str
    mutants: int
    survivors: list[str]


def tried(drawn: list[Sitting], program: Program) -> Tried:
    """Judge all mutants of a right answer. Raises ValueError if it does not get full points itself."""
    name = drawn[0].problem.name
    if not survives(drawn, program.source, program.expression, enough=all):
        raise ValueError(f"expected full points for {program.name} of {name}, got less for\n{program.source}")
    all_mutants = list(mutants(program.source))
    survivors = [mutant for mutant in all_mutants if survives(drawn, mutant, program.expression)]
    return Tried(name, program.name, len(all_mutants), [change(program.source, mutant) for mutant in survivors])


def tried_by_name(name: str, program: Program) -> Tried:
    """As `tried`, on the cases of the problem called `name`: what one of the processes does."""
    return tried(sat(name), program)


def every_answer(only: str | None = None) -> list[Tried]:
    """What became of the mutants of all right answers to all problems, or to `only` one."""
    wanted = [(folder, name) for folder, names in sets().items() for name in names if only in (None, name)]
    jobs = [(name, program) for folder, name in wanted for program in programs(folder, name)]
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
        return list(pool.map(tried_by_name, *zip(*jobs, strict=True)))


def count(results: list[Tried]) -> str:
    """How many mutants of how many right answers were rejected, in a few words."""
    total, survivors = sum(r.mutants for r in results), sum(len(r.survivors) for r in results)
    return f"{total - survivors} of {total} mutants of {len(results)} right answers rejected"


def report(results: list[Tried], why: dict[tuple[str, str], str]) -> str:
    """The counts, of all, by set and by function; then each survivor with its explanation."""
    seconds = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [made_with("numpy", "mutmut"), f"seeds {', '.join(map(str, SEEDS))}: {count(results)}"]
    lines.append(f"{sum(s.ru_utime + s.ru_stime for s in seconds):.0f} s of processor time\n")
    for folder, names in sets().items():
        lines.append(f"{folder}: {count([r for r in results if r.function in names])}")
        lines += [f"  {name}: {count([r for r in results if r.function == name])}" for name in names]
    for function, answer, _, survivors in results:
        for changed in survivors:
            lines.append(f"\n{function}, {answer}\n{changed}\n= {why.get((function, changed), 'NOT EXPLAINED')}")
    return "\n".join(lines) + "\n"


def main(only: str | None = None) -> int:
    """Write benchmarks/references.txt, or, for `only` one function, show its survivors.

    Returns 1 if a survivor has no explanation, or an explanation no survivor.
    """
    why = {
        key: reason
        for key, reason in explanations(HERE / "references-survivors.toml").items()
        if only in (None, key[0])
    }
    judge.SECONDS = SECONDS
    results = every_answer(find(only).name if only else None)
    if only:
        print(f"{only}: {count(results)}")
    else:
        text = report(results, why)
        draft = HERE / ".references.txt.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(HERE / "references.txt")
        print(text)
    survivors = {(result.function, changed) for result in results for changed in result.survivors}
    for what, keys in (
        ("Not explained", survivors - why.keys()),
        ("Explained, but no survivor", why.keys() - survivors),
    ):
        for function, changed in sorted(keys):
            print(f"{what}: {function}\n{changed}")
    return int(survivors != why.keys())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
